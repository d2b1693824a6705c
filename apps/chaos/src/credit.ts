import { appendFileSync } from "node:fs";
import { serverAdmin } from "@sluice/testing/server-process";
import type { Installation } from "./installation.ts";

const topUps = 3;
const deliveries = 5;

/**
 * Gives the clients credit, to be accounted for exactly: a payment service delivers each of several top-ups several times concurrently.
 * Needs a gateway with a console; each top-up becomes a line in the clients' log.
 */
export async function giveCredit({ url, log, postgres: { pool }, clientsPath }: Installation, billing: "postpaid" | "both"): Promise<void> {
  log.paysAhead = billing !== "postpaid";
  const cookie = await signIn(url);
  const { rows } = await pool.query<{ user_id: string; name: string }>("SELECT DISTINCT user_id, name FROM keys");
  for (const { user_id: userId, name } of rows) {
    // A request with unbounded output reserves half a dollar.
    const cents = name === "scarce" ? 25 : 10_000;
    await call(url, cookie, "credits.updateAccount", { userId, billing: name === "later" ? "postpaid" : billing });
    for (let n = 1; n <= topUps; n++) {
      const topUp = { userId, amountUsd: String((cents * n) / 100), reason: "chaos", idempotencyKey: `chaos ${n} ${userId}` };
      await Promise.all(Array.from({ length: deliveries }, () => call(url, cookie, "credits.topUp", topUp)));
      appendFileSync(clientsPath, `${JSON.stringify({ topUp: topUp.idempotencyKey, amountNanoUsd: `${cents * n}0000000`, deliveries })}\n`);
    }
  }
}

async function signIn(url: string): Promise<string> {
  const headers = { "content-type": "application/json", origin: url };
  const answer = await fetch(`${url}/auth/login`, { method: "POST", headers, body: JSON.stringify(serverAdmin) });
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

/** @throws when the call is not successful. */
async function call(url: string, cookie: string, procedure: string, input: object): Promise<void> {
  const headers = { "content-type": "application/json", origin: url, cookie };
  const answer = await fetch(`${url}/trpc/${procedure}`, { method: "POST", headers, body: JSON.stringify({ json: input }) });
  if (!answer.ok) throw new Error(`${procedure}: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
}
