-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "keys" SET "tpm" = 100000, "cost_day_usd" = 10, "cost_reset_at" = '2026-11-20T00:00:00Z';
UPDATE "users" SET "rpm" = 60, "cost_month_usd" = 100.5;
UPDATE "providers" SET "in_flight" = 8, "cost_total_usd" = 1000;
INSERT INTO "prices" ("id", "model", "input_per_mtok", "output_per_mtok", "max_output_tokens", "source") VALUES
  ('019aa400-0000-7000-8000-000000000e01', 'model-of-limits', 1, 2, 64000, 'console');
INSERT INTO "groups" ("name", "cost_multiplier", "rpm", "cost_week_usd", "updated_at") VALUES ('default', 1.25, 600, 50, '2026-11-21T00:00:00Z');
