// Requests at a fixed rate for `bench -- live`, in a separate process; records when each one's last byte arrived.
import { Agent, request } from "node:http";
import { machineMs, serve } from "./child.ts";

interface TrafficOptions {
  port: number;
  key: string;
  body: string;
  rate: number;
  ms: number;
}

export interface TrafficResult {
  /** Id and end of each request, in ms of the machine's clock. */
  ends: [id: string, atMs: number][];
  errors: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send({ port, key, body }: TrafficOptions, result: TrafficResult): Promise<void> {
  return new Promise((resolve) => {
    const failed = (): void => {
      result.errors += 1;
      resolve();
    };
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), "x-api-key": key };
    const path = "/v1/messages";
    const call = request({ agent, host: "127.0.0.1", port, method: "POST", path, headers }, (response) => {
      const id = String(response.headers["x-request-id"]);
      response.resume().once("error", failed);
      response.once("end", () => {
        if (response.statusCode !== 200) return failed();
        result.ends.push([id, machineMs()]);
        resolve();
      });
    });
    call.once("error", failed);
    call.end(body);
  });
}

/** Open loop: a slow answer does not delay the next request. */
async function run(options: TrafficOptions): Promise<TrafficResult> {
  const result: TrafficResult = { ends: [], errors: 0 };
  const running: Promise<void>[] = [];
  const began = machineMs();
  const count = Math.round((options.rate * options.ms) / 1_000);
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((machineMs() - began) * options.rate) / 1_000) + 1);
    for (; sent < due; sent++) running.push(send(options, result));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(running);
  return result;
}

serve({ run });
