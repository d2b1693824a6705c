import { uniqueName } from "@sluice/testing/factories";
import { connected, openLive, rowInFlight } from "./arrange.ts";

/*
 * A process that owns requests: node owner.ts <redis url or ''> <prefix> <instance> <close|stay>. Starts three requests of one session.
 * `stay` waits to be killed; `close` finishes them properly and must then exit without being stopped.
 */
const [redisUrl = "", prefix = "", instanceId = uniqueName("owner"), then = "stay"] = process.argv.slice(2);
const live = await connected(openLive({ redisUrl: redisUrl || null, prefix, instanceId }));
const sessionId = live.sessions.idOf("key", "conversation");
for (let i = 0; i < 3; i += 1) {
  const row = rowInFlight({ userId: "mine", keyId: "key", sessionId, providerId: "p1" });
  live.registry.started(row);
  live.registry.progressed({ ...row, ttftMs: 5 });
  live.registry.progressed({ ...row, ttftMs: 6 });
  live.sessions.began({ id: sessionId, userId: "mine", keyId: "key", providerId: "p1", model: "m", client: "c", dialect: "openai" });
  live.figures.attemptStarted("p1");
}
const viewer = live.frames.subscribe({ kind: "admin" }, "", new AbortController().signal);
await viewer.next();
process.stdout.write("up\n");
if (then === "close") await live.close();
