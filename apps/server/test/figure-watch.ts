import { until } from "@sluice/testing/deadline";
import type { ConsoleClient } from "./console-client.ts";
import { type MetricFamily, parsePrometheus } from "./prometheus-text.ts";

export type Scrape = Map<string, MetricFamily>;

/** Sum of the samples with these labels. */
export function figure(families: Scrape, name: string, labels: Record<string, string> = {}): number {
  const { samples = [] } = families.get(name.replace(/_(count|sum|bucket)$/, "")) ?? families.get(name) ?? {};
  const fits = (of: Record<string, string>) => Object.entries(labels).every(([key, value]) => of[key] === value);
  return samples.filter((sample) => sample.name === name && fits(sample.labels)).reduce((sum, { value }) => sum + value, 0);
}

/** Reads figures like Prometheus and the page do, and records which of them ever changed. */
export interface FigureWatch {
  scrape(): Promise<Scrape>;
  /** Waits until /metrics reports the value; then reads the page as well. */
  risesTo(name: string, least: number, labels?: Record<string, string>): Promise<void>;
  /** Metrics, and paths of figures on the page, that never changed between reads. */
  still(): string[];
}

/** `admin` calls the page's procedure. */
export function watchFigures(server: { url: string }, token: string, admin: ConsoleClient): FigureWatch {
  const seen = new Map<string, Set<number>>();
  const note = (name: string, value: number): void => void seen.set(name, (seen.get(name) ?? new Set()).add(value));

  async function scrape(): Promise<Scrape> {
    const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const families = parsePrometheus(await answer.text());
    for (const [name, { type, samples }] of families) {
      if (samples.length > 0) note(name, figure(families, type === "histogram" ? `${name}_count` : name));
    }
    return families;
  }

  async function readPage(): Promise<void> {
    const { process, stores } = await admin.api.system.figures.query();
    for (const [of, figures] of Object.entries({ process, ledger: process?.ledger, postgres: stores.postgres, redis: stores.redis })) {
      if (typeof figures !== "object") continue;
      for (const [name, value] of Object.entries(figures ?? {})) if (typeof value === "number") note(`${of}.${name}`, value);
    }
  }

  return {
    scrape,
    async risesTo(name, least, labels = {}) {
      await until(async () => figure(await scrape(), name, labels) >= least, { what: `${name} is ${least} or more`, everyMs: 50 });
      await readPage();
    },
    still: () => [...seen].filter(([, values]) => values.size === 1).map(([name]) => name),
  };
}
