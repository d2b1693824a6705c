-- By hand: partial indexes of all that did not go well, by the state and by the class it counts under (the expression is
-- that of the ledger's statements). A rare state is then found at once, and not behind a million rows of a frequent one.
CREATE INDEX "requests_state_id_idx" ON "requests" ("state", "id" DESC) WHERE "state" <> 'done';
CREATE INDEX "requests_status_class_id_idx" ON "requests"
  ((CASE WHEN "state" IN ('aborted', 'refused') THEN "state"
    WHEN "status" >= 500 OR ("state" = 'error' AND "status" < 400) THEN '5xx'
    WHEN "status" >= 400 THEN '4xx' WHEN "status" >= 300 THEN '3xx' ELSE '2xx' END), "id" DESC)
  WHERE "state" <> 'done' OR "status" >= 300;
DROP INDEX "requests_failed_id_idx";
