// A gateway's spool without a Postgres to settle to: records one finished request, reports it and waits to be killed.
import { systemClock } from "@sluice/core/clock";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { createPool } from "@sluice/db/postgres";
import { createLedger } from "@sluice/ledger/ledger";
import { requestDetail, requestRow } from "@sluice/testing/factories";

const [dir = "", id = ""] = process.argv.slice(2);
const ledger = await createLedger({
  dir,
  instanceId: "dead-instance",
  // Nothing listens on port 9 (discard).
  pool: createPool("postgresql://nobody@127.0.0.1:9/none"),
  settings: defaultSettings,
  clock: systemClock,
  log: silentLog,
});
await ledger.finish({ row: requestRow({ id }), detail: requestDetail({ id }), upstreamCostNanoUsd: "0" });
process.stdout.write("finished\n");
process.stdin.resume();
