import type { GatewayPlan, Sample, Samples } from "../gateway.ts";
import { type Metric, paired, type Report, summarise } from "../report.ts";
import type { CostsPerRequest } from "./counters.ts";
import type { SubjectName } from "./stage.ts";

/**
 * The figures of the gateway: overhead is what it adds to bare pass-through in the same round. CPU is of the whole process,
 * which in this benchmark also settles and serves the console.
 */
export function gatewayReport(samples: Samples, plan: GatewayPlan): Report {
  const { passThrough, inProcess, withRedis } = samples.main;
  const each = (list: readonly Sample[], of: (sample: Sample) => number): Metric => summarise(list.map(of));
  const added = (list: readonly Sample[], of: (sample: Sample) => number): Metric =>
    paired(list, passThrough, (own, base) => of(own) - of(base));
  const ratio = (list: readonly Sample[], of: (sample: Sample) => number): Metric =>
    paired(list, passThrough, (own, base) => of(own) / of(base));
  const beyondAppend = inProcess.map(
    (own, round) => own.fixed.p50Ms - (passThrough[round]?.fixed.p50Ms ?? 0) - (samples.appendLoopMsP50[round] ?? 0),
  );
  const streams = samples.bytesPerStream;
  const metrics: Record<string, Metric> = {
    fixedRatePerSecond: summarise([plan.rate]),
    ...ofSubjects(samples, "perSecond", (sample) => sample.perSecond),
    ratioInProcess: ratio(inProcess, (sample) => sample.perSecond),
    ratioWithRedis: ratio(withRedis, (sample) => sample.perSecond),
    ...ofSubjects(samples, "cpuMicros", (sample) => sample.cpuMicrosPerRequest),
    ...ofSubjects(samples, "cpuMicrosSaturated", (sample) => sample.cpuMicrosSaturated),
    cpuRatioSaturatedInProcess: ratio(inProcess, (sample) => sample.cpuMicrosSaturated),
    cpuRatioSaturatedWithRedis: ratio(withRedis, (sample) => sample.cpuMicrosSaturated),
    cpuPercentAtFixedRateInProcess: each(inProcess, (sample) => (sample.cpuMicrosPerRequest * plan.rate) / 10_000),
    busyPassThrough: each(passThrough, (sample) => sample.busy),
    busyInProcess: each(inProcess, (sample) => sample.busy),
    residentMbInProcess: each(inProcess, (sample) => sample.residentMb),
    addedMsP50InProcess: added(inProcess, (sample) => sample.fixed.p50Ms),
    addedMsP95InProcess: added(inProcess, (sample) => sample.fixed.p95Ms),
    addedMsP99InProcess: added(inProcess, (sample) => sample.fixed.p99Ms),
    addedMsP50WithRedis: added(withRedis, (sample) => sample.fixed.p50Ms),
    addedMsP99WithRedis: added(withRedis, (sample) => sample.fixed.p99Ms),
    appendLoopMsP50: summarise(samples.appendLoopMsP50),
    addedBeyondAppendLoopMsP50: summarise(beyondAppend),
    ...shapeMetrics(samples),
    ...costMetrics("InProcess", samples.costs.inProcess),
    ...costMetrics("WithRedis", samples.costs.withRedis),
    ...costMetrics("Direct", samples.costs.direct),
    redisRoundTripsPerRequest: summarise(samples.costs.withRedis.map((costs) => costs.redisRoundTrips)),
    bytesPerStreamPassThrough: summarise(streams.passThrough),
    bytesPerStreamInProcess: summarise(streams.inProcess),
    bytesPerStreamAdded: paired(streams.inProcess, streams.passThrough, (own, base) => own - base),
  };
  return { metrics, targets };
}

const targets: Report["targets"] = {
  // Below this the load, or another process on the core, was the limit: the ratios of such a run compare nothing.
  busyPassThrough: { atLeast: 0.8 },
  ratioInProcess: { atLeast: 0.5 },
  ratioWithRedis: { atLeast: 0.4 },
  addedBeyondAppendLoopMsP50: { atMost: 0.6 },
  addedMsP99InProcess: { atMost: 5 },
  addedFirstByteMsP50Sse1k: { atMost: 1 },
  statementsPerRequestInProcess: { atMost: 1 },
  redisRoundTripsPerRequest: { atMost: 0.2 },
  bytesPerStreamAdded: { atMost: 16 * 1024 },
};

function ofSubjects({ main }: Samples, name: string, of: (sample: Sample) => number): Record<string, Metric> {
  const entries = Object.entries(main) as [SubjectName, Sample[]][];
  return Object.fromEntries(entries.map(([subject, list]) => [name + capitalised(subject), summarise(list.map(of))]));
}

function shapeMetrics({ shapes }: Samples): Record<string, Metric> {
  const metrics: Record<string, Metric> = {};
  for (const { name, passThrough, inProcess } of shapes) {
    const compare = (of: (own: Sample, base: Sample) => number): Metric => paired(inProcess, passThrough, of);
    metrics[`perSecond${name}`] = summarise(inProcess.map((sample) => sample.perSecond));
    metrics[`ratio${name}`] = compare((own, base) => own.perSecond / base.perSecond);
    metrics[`addedMsP50${name}`] = compare((own, base) => own.fixed.p50Ms - base.fixed.p50Ms);
    metrics[`addedMsP99${name}`] = compare((own, base) => own.fixed.p99Ms - base.fixed.p99Ms);
    metrics[`addedFirstByteMsP50${name}`] = compare((own, base) => own.fixed.firstByteMsP50 - base.fixed.firstByteMsP50);
  }
  return metrics;
}

function costMetrics(name: string, costs: readonly CostsPerRequest[]): Record<string, Metric> {
  return {
    [`statementsPerRequest${name}`]: summarise(costs.map((each) => each.statements)),
    [`commitsPerRequest${name}`]: summarise(costs.map((each) => each.commits)),
    [`settlesPerRequest${name}`]: summarise(costs.map((each) => each.settles)),
    [`walBytesPerRequest${name}`]: summarise(costs.map((each) => each.walBytes)),
    [`lockWaitMsPerRequest${name}`]: summarise(costs.map((each) => each.lockWaitMs)),
  };
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
