import type { GatewayPlan, Sample, Samples, SubjectName } from "../gateway.ts";
import { type Metric, paired, quantile, type Report, summarise } from "../report.ts";
import type { CostsPerRequest } from "./counters.ts";

/**
 * The report of the gateway benchmark. Overhead is the difference to bare pass-through in the same round. CPU is that of the whole
 * process, which also settles and serves the console here.
 */
export function gatewayReport(samples: Samples, plan: GatewayPlan): Report {
  const { passThrough, inProcess, withRedis } = samples.main;
  const each = (list: readonly Sample[], of: (sample: Sample) => number): Metric => summarise(list.map(of));
  const added = (list: readonly Sample[], of: (sample: Sample) => number): Metric =>
    paired(list, passThrough, (own, base) => of(own) - of(base));
  const ratio = (list: readonly Sample[], of: (sample: Sample) => number): Metric =>
    paired(list, passThrough, (own, base) => of(own) / of(base));
  const addedP50 = added(inProcess, latency(0.5));
  const appendLoop = (p: number): Metric => summarise(samples.appendLoopMs.map((latencies) => quantile(latencies, p)));
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
    msP50PassThrough: each(passThrough, latency(0.5)),
    msP99PassThrough: each(passThrough, latency(0.99)),
    residentMbInProcess: each(inProcess, (sample) => sample.residentMb),
    addedMsP50InProcess: addedP50,
    addedMsP95InProcess: added(inProcess, latency(0.95)),
    addedMsP99InProcess: added(inProcess, latency(0.99)),
    addedMsP50WithRedis: added(withRedis, latency(0.5)),
    addedMsP99WithRedis: added(withRedis, latency(0.99)),
    appendLoopMsP50: appendLoop(0.5),
    appendLoopMsP99: appendLoop(0.99),
    addedBeyondAppendLoopMsP50: paired(addedP50.rounds, appendLoop(0.5).rounds, (own, append) => own - append),
    ...shapeMetrics(samples),
    ...costMetrics("InProcess", samples.costs.inProcess),
    ...costMetrics("WithRedis", samples.costs.withRedis),
    ...costMetrics("Direct", samples.costs.direct),
    redisRoundTripsPerRequest: summarise(samples.costs.withRedis.map((costs) => costs.redisRoundTrips)),
    bytesPerStreamPassThrough: summarise(streams.passThrough),
    bytesPerStreamInProcess: summarise(streams.inProcess),
    bytesPerStreamDriftInProcess: summarise(streams.driftInProcess),
    bytesPerStreamAdded: paired(streams.inProcess, streams.passThrough, (own, base) => own - base),
  };
  return { metrics, targets };
}

/** Latency at the fixed rate, by round. */
function latency(p: number): (sample: Sample) => number {
  return ({ latenciesMs }) => quantile(latenciesMs, p);
}

const targets: Report["targets"] = {
  // Below this, the load or another process on the core was the limit, and the ratios are meaningless.
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
    metrics[`addedMsP50${name}`] = compare((own, base) => latency(0.5)(own) - latency(0.5)(base));
    metrics[`addedMsP99${name}`] = compare((own, base) => latency(0.99)(own) - latency(0.99)(base));
    metrics[`addedFirstByteMsP50${name}`] = compare((own, base) => quantile(own.firstBytesMs, 0.5) - quantile(base.firstBytesMs, 0.5));
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
