import { systemClock } from "@sluice/core/clock";
import type { Audience, LiveEvent, LiveFrame } from "@sluice/core/events";
import { FINAL_REV } from "@sluice/core/events";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import type { RequestRow } from "@sluice/core/requests";
import { until } from "@sluice/testing/deadline";
import { requestRow, uniqueName } from "@sluice/testing/factories";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { createLive, type Live, type LiveOptions } from "../src/live.ts";

/** The live rooms of one test, all closed after it; with Redis they share one key prefix. */
export interface Stage {
  redisUrl: string | null;
  prefix: string;
  open(options?: Partial<LiveOptions>): Live;
}

let redis: TestRedis | null = null;

/** Starts a redis-server for this file. */
export function useRedis(): () => TestRedis {
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => {
    await redis?.stop();
    redis = null;
  });
  return () => {
    if (!redis) throw new Error("no Redis yet");
    return redis;
  };
}

/** Runs the same tests for both twins. */
export function eachTwin(title: string, body: (stage: () => Stage) => void): void {
  describe.each(["memory", "redis"])(`${title} (%s)`, (twin) => body(useStage(twin === "redis")));
}

/** Provides a stage per test. */
export function useStage(withRedis: boolean): () => Stage {
  const open: Live[] = [];
  let prefix = "";
  afterEach(async () => {
    await Promise.all(open.splice(0).map((live) => live.close()));
    prefix = "";
  });
  return () => {
    prefix ||= `${uniqueName("live")}:`;
    const redisUrl = withRedis ? (redis?.url ?? "") : null;
    return {
      redisUrl,
      prefix,
      open(options = {}) {
        const live = openLive({ redisUrl, prefix, ...options });
        open.push(live);
        return live;
      },
    };
  };
}

/** A live room that is not closed automatically. */
export function openLive(options: Partial<LiveOptions>): Live {
  return createLive({
    redisUrl: null,
    instanceId: uniqueName("instance"),
    log: silentLog,
    clock: systemClock,
    settings: () => defaultSettings(),
    ...options,
  });
}

/** Resolves when the room can reach Redis, or at once without one. */
export async function connected(live: Live): Promise<Live> {
  await until(() => live.redisReady() !== false, { what: "Redis is reached" });
  return live;
}

/** A viewer that records what it receives. */
export interface Viewer {
  frames: LiveFrame[];
  /** All events in order, over all frames. */
  events(): LiveEvent[];
  /** Where it would resume. */
  lastId(): string;
  /** How the stream ended; null while it is open. */
  end(): "returned" | Error | null;
  leave(): Promise<void>;
}

/** Watches until it is told to leave or is disconnected. */
export function watch(live: Live, audience: Audience = { kind: "admin", userId: "an-admin" }, after = ""): Viewer {
  const abort = new AbortController();
  const frames: LiveFrame[] = [];
  let end: "returned" | Error | null = null;
  const stream = live.frames.subscribe(audience, after, abort.signal);
  const done = (async () => {
    try {
      for await (const frame of stream) frames.push(frame);
      end = "returned";
    } catch (error) {
      end = error instanceof Error ? error : new Error(String(error));
    }
  })();
  return {
    frames,
    events: () => frames.flatMap((frame) => frame.events),
    lastId: () => frames.at(-1)?.id ?? after,
    end: () => end,
    async leave() {
      abort.abort();
      await done;
    },
  };
}

/** Resolves when the viewer has received its position: from then on it misses nothing. */
export async function arrived(viewer: Viewer): Promise<Viewer> {
  await until(() => viewer.frames.length > 0, { what: "the first frame" });
  return viewer;
}

/** Ids of the requests that the events are about, in order. */
export function requestIds(events: readonly LiveEvent[]): string[] {
  return events.flatMap((event) => ("rev" in event ? [event.row.id] : []));
}

/** `request.finished` of a new request. */
export function finishedEvent(fields: Partial<RequestRow> = {}): Extract<LiveEvent, { rev: number }> {
  return { type: "request.finished", rev: FINAL_REV, row: requestRow(fields) };
}

/** A row in flight. */
export function rowInFlight(fields: Partial<RequestRow> = {}): RequestRow {
  return requestRow({ state: "in_flight", status: 0, costNanoUsd: null, durationMs: null, ttftMs: null, ...fields });
}
