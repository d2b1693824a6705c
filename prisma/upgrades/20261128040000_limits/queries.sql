SELECT "id", "tpm", "cost_5h_usd", "cost_day_usd", "cost_week_usd", "cost_month_usd", "cost_total_usd", "cost_reset_at" FROM "keys";
SELECT "id", "rpm", "tpm", "in_flight", "cost_5h_usd", "cost_day_usd", "cost_week_usd", "cost_month_usd", "cost_total_usd", "cost_reset_at" FROM "users";
SELECT "id", "rpm", "tpm", "in_flight", "cost_5h_usd", "cost_day_usd", "cost_week_usd", "cost_month_usd", "cost_total_usd", "cost_reset_at" FROM "providers";
SELECT "tenant_id", "name", "cost_multiplier", "rpm", "tpm", "in_flight", "cost_5h_usd", "cost_total_usd", "cost_reset_at" FROM "groups";
SELECT "id", "max_output_tokens" FROM "prices";
