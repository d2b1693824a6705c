/** One metric family from `/metrics`. */
export interface MetricFamily {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const types = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
const suffixes: Record<string, readonly string[]> = { histogram: ["_bucket", "_sum", "_count"], summary: ["", "_sum", "_count"] };
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)( -?\d+)?$/;
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Parses Prometheus' text format 0.0.4, strictly: each family is announced once (HELP, TYPE) before its samples, its lines are contiguous,
 * and no sample occurs twice.
 * @throws naming the line.
 */
export function parsePrometheus(text: string): Map<string, MetricFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, MetricFamily>();
  const seen = new Set<string>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === "") continue;
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      if (families.has(name)) fail("announced twice");
      current = name;
      families.set(name, { type: "", help: rest, samples: [] });
    } else if (keyword === "TYPE") {
      const family = families.get(name);
      if (!family || name !== current || family.type !== "" || family.samples.length > 0) fail("TYPE out of place");
      if (!types.has(rest)) fail("unknown type");
      if (family) family.type = rest;
    } else if (line.startsWith("#")) fail("neither HELP nor TYPE");
    else {
      const sample = parseSample(line) ?? fail("not a sample");
      const family = families.get(current);
      if (!family?.type) return fail("a sample without TYPE");
      if (!(suffixes[family.type] ?? [""]).some((suffix) => sample.name === current + suffix)) fail(`not of ${current}`);
      const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(identity)) fail("a sample twice");
      seen.add(identity);
      family.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): MetricFamily["samples"][number] | null {
  const [, name, body = "", text = ""] = sampleLine.exec(line) ?? [];
  if (name === undefined) return null;
  const labels: Record<string, string> = {};
  for (let rest = body; rest !== ""; ) {
    const [all, key, value] = label.exec(rest) ?? [];
    if (all === undefined || key === undefined || value === undefined || key in labels) return null;
    labels[key] = value.replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    rest = rest.slice(all.length);
  }
  const value = parseFloatOfGo(text);
  return value === null ? null : { name, labels, value };
}

/** The format leaves numbers to Go's ParseFloat, which takes NaN and infinities in any case. */
function parseFloatOfGo(text: string): number | null {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}
