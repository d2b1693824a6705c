import type { Random } from "@sluice/testing/seeded-random";

/** One life of a gateway, from its start to the kill. */
export interface Step {
  /** Where it dies (or meets an unexpected error), and at which pass; null = at a random moment. */
  failpoint: { name: string; pass: number; does: "kill" | "throw" } | null;
  /** State of the services at its start. */
  postgres: "up" | "down";
  redis: "up" | "down";
  /** What happens to the services meanwhile; only for random kills. */
  weather: "calm" | "postgres crashes" | "redis restarts" | "redis hangs";
  /** For a random kill: how long after becoming ready it happens. */
  livesMs: number;
}

/** Every failpoint of the ledger, with the maximum pass at which it strikes. */
const failpoints: Readonly<Record<string, number>> = {
  before_start: 15,
  after_start: 15,
  after_headers: 15,
  mid_stream: 12,
  after_last_chunk: 15,
  after_write_before_fsync: 8,
  after_fsync_before_ack: 8,
  mid_batch: 2,
  after_commit_before_checkpoint: 2,
  during_rename: 2,
  during_rotation: 3,
  during_recovery: 2,
};

/** Failpoints that only a settler with a reachable Postgres passes: here "down" means an outage that has just ended. */
export const settling: ReadonlySet<string> = new Set(["mid_batch", "after_commit_before_checkpoint", "during_rename"]);

/** Every failpoint × Postgres × Redis, `rounds` times, an error at each, and the random kills; shuffled, the same for the same seed. */
export function planSteps(random: Random, { rounds, randomKills }: { rounds: number; randomKills: number }): Step[] {
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const steps: Step[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [name, passes] of Object.entries(failpoints)) {
      for (const postgres of ["up", "down"] as const) {
        for (const redis of ["up", "down"] as const) {
          const pass = 1 + Math.floor(random() * passes);
          steps.push({ failpoint: { name, pass, does: "kill" }, postgres, redis, weather: "calm", livesMs: 0 });
        }
      }
    }
  }
  for (const name of Object.keys(failpoints)) {
    steps.push({ failpoint: { name, pass: 1, does: "throw" }, postgres: "up", redis: "up", weather: "calm", livesMs: 0 });
  }
  for (let n = 0; n < randomKills; n++) {
    const [postgres, redis] = [pick<"up" | "down">("up", "up", "up", "down"), pick<"up" | "down">("up", "up", "up", "down")];
    const weather = pick<Step["weather"]>("calm", "calm", "postgres crashes", "redis restarts", "redis hangs");
    steps.push({ failpoint: null, postgres, redis, weather, livesMs: Math.floor(100 + random() * 1_400) });
  }
  return shuffle(steps, random);
}

/** One of each failpoint, with any state of the services. */
export function planShort(random: Random): Step[] {
  const all = planSteps(random, { rounds: 1, randomKills: 4 });
  const met = new Set<string>();
  return all.filter(({ failpoint }) => {
    if (failpoint?.does !== "kill") return !failpoint;
    const isFirst = !met.has(failpoint.name);
    met.add(failpoint.name);
    return isFirst;
  });
}

/** The step's name in a report. */
export function nameOf({ failpoint, postgres, redis, weather }: Step): string {
  const at = failpoint ? `${failpoint.name} ${failpoint.does}@${failpoint.pass}` : `random, ${weather}`;
  return `${at}, Postgres ${postgres}, Redis ${redis}`;
}

function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
