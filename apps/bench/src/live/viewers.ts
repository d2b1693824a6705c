// Viewers for `bench -- live`, in a separate process: they act like an EventSource, without a browser.
import { type ClientRequest, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { machineMs, serve } from "./child.ts";
import { FrameIndex, type SeenFrame } from "./frame-index.ts";

interface OpenOptions {
  url: string;
  /** Assigned to the viewers in turn. */
  cookies: string[];
  count: number;
}

export interface ViewersReport {
  /** Rows that a viewer should have received but did not, over all viewers. */
  lost: number;
  repeated: number;
  /** Frames that arrived before an earlier one; then resets and gaps. */
  disorder: number;
  holes: number;
  /** Streams that the server ended or refused. */
  retries: number;
  frames: number;
  bytes: number;
  latency: { p50Ms: number; p99Ms: number; samples: number };
}

interface Viewer {
  cookie: string;
  lastId: string;
  /** One bit for each request seen to end. */
  seen: Uint8Array;
  connection: ClientRequest | null;
  pending: Buffer[];
  opened: PromiseWithResolvers<void>;
}

const end = Buffer.from("\n\n");
const index = new FrameIndex();
const viewers: Viewer[] = [];
const totals = { repeated: 0, disorder: 0, holes: 0, frames: 0, bytes: 0, retries: 0 };
let noting = false;
let url = "";

function connect(viewer: Viewer): void {
  const headers = {
    accept: "text/event-stream",
    cookie: viewer.cookie,
    ...(viewer.lastId && { "last-event-id": viewer.lastId }),
  };
  viewer.pending = [];
  const connection = get(`${url}/trpc/live.events`, { agent: false, headers }, (response) => {
    response.on("data", (chunk: Buffer) => {
      if (viewer.connection === connection) receive(viewer, chunk);
    });
    response.on("error", () => undefined);
  });
  connection.on("error", () => undefined);
  // Like the console, reconnects for any reason; the server ends streams that fall behind.
  connection.on("close", () => {
    if (viewer.connection !== connection) return;
    totals.retries += 1;
    setTimeout(() => viewer.connection === connection && connect(viewer), 250);
  });
  viewer.connection = connection;
}

function receive(viewer: Viewer, chunk: Buffer): void {
  totals.bytes += chunk.length;
  const began = viewer.pending.length > 0;
  viewer.pending.push(chunk);
  // The two line feeds at the end of an event may be split.
  if (!chunk.includes(end) && chunk[0] !== 10) return;
  let rest = began ? Buffer.concat(viewer.pending) : chunk;
  for (let at = rest.indexOf(end); at >= 0; at = rest.indexOf(end)) {
    if (at > 0) take(viewer, rest.subarray(0, at));
    rest = rest.subarray(at + 2);
  }
  viewer.pending = rest.length > 0 ? [rest] : [];
}

function take(viewer: Viewer, message: Buffer): void {
  const frame = index.find(message[0] === 10 ? message.subarray(1) : message);
  if (!frame) return;
  viewer.opened.resolve();
  if (noting) frame.arrivals.push(machineMs());
  totals.frames += 1;
  if (frame.hole) totals.holes += 1;
  if (!isLater(frame.id, viewer.lastId)) totals.disorder += 1;
  viewer.lastId = frame.id;
  for (const request of frame.finished) mark(viewer, request);
}

function mark(viewer: Viewer, request: number): void {
  const byte = request >> 3;
  const bit = 1 << (request & 7);
  if (byte >= viewer.seen.length) {
    const grown = new Uint8Array(Math.max(1_024, byte * 2));
    grown.set(viewer.seen);
    viewer.seen = grown;
  }
  const had = viewer.seen[byte] ?? 0;
  if (had & bit) totals.repeated += 1;
  viewer.seen[byte] = had | bit;
}

/** The first frames of a stream may repeat the position that it began at, which is not disorder. */
function isLater(id: string, last: string): boolean {
  if (last === "") return true;
  const [ms = 0, seq = 0] = parts(id);
  const [lastMs = 0, lastSeq = 0] = parts(last);
  return ms > lastMs || (ms === lastMs && seq >= lastSeq);
}

function parts(id: string): number[] {
  return id
    .slice(id.indexOf(":") + 1)
    .split("-")
    .map(Number);
}

async function open(options: OpenOptions): Promise<number> {
  url = options.url;
  const began = machineMs();
  for (let done = 0; done < options.count; done += 50) {
    const batch = Array.from({ length: Math.min(50, options.count - done) }, (_, i): Viewer => {
      const cookie = options.cookies[(done + i) % options.cookies.length] ?? "";
      return { cookie, lastId: "", seen: new Uint8Array(0), connection: null, pending: [], opened: Promise.withResolvers() };
    });
    viewers.push(...batch);
    for (const viewer of batch) connect(viewer);
    await Promise.all(batch.map(({ opened }) => opened.promise));
  }
  return machineMs() - began;
}

/** Cuts each connection once, at an arbitrary moment, spread over `ms`; each reconnects shortly after. */
async function reconnect({ ms }: { ms: number }): Promise<void> {
  await Promise.all(
    viewers.map(async (viewer, i) => {
      await sleep((ms * i) / viewers.length);
      const { connection } = viewer;
      viewer.connection = null;
      connection?.destroy();
      await sleep(50 + Math.random() * 200);
      viewer.opened = Promise.withResolvers();
      connect(viewer);
      await viewer.opened.promise;
    }),
  );
}

/** Latency from the end of a request to the arrival of its row, over all viewers; and what each of them missed. */
function report({ ends }: { ends: [id: string, atMs: number][] }): ViewersReport {
  const endOf = new Map(ends.map(([id, atMs]) => [index.indexOf(id), atMs]));
  let lost = 0;
  for (const viewer of viewers)
    for (const request of endOf.keys()) if (!((viewer.seen[request >> 3] ?? 0) & (1 << (request & 7)))) lost += 1;
  return { ...totals, lost, latency: latencyOf(index.frames, endOf) };
}

/** Uses a histogram in ms because of the millions of values. Rows that arrived before their client had read its answer count as 0. */
function latencyOf(frames: SeenFrame[], endOf: Map<number, number>): ViewersReport["latency"] {
  const histogram = new Uint32Array(60_000);
  let samples = 0;
  for (const { finished, arrivals } of frames) {
    for (const request of finished) {
      const endedAt = endOf.get(request);
      if (endedAt === undefined) continue;
      for (const arrivedAt of arrivals) {
        const ms = Math.min(histogram.length - 1, Math.max(0, Math.round(arrivedAt - endedAt)));
        histogram[ms] = (histogram[ms] ?? 0) + 1;
        samples += 1;
      }
    }
  }
  const quantile = (share: number): number => {
    let below = 0;
    return histogram.findIndex((count) => {
      below += count;
      return below > samples * share;
    });
  };
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), samples };
}

/** Starts or stops recording arrivals; earlier observations are dropped. */
function note({ on }: { on: boolean }): void {
  noting = on;
  if (on) Object.assign(totals, { repeated: 0, disorder: 0, holes: 0, frames: 0, bytes: 0, retries: 0 });
  index.forget();
}

function close(): void {
  for (const viewer of viewers.splice(0)) {
    const { connection } = viewer;
    viewer.connection = null;
    connection?.destroy();
  }
}

serve({ open, reconnect, report, note, close });
