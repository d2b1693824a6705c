-- What the code of this migration writes besides: the rows of the ones before are there already, and brought the totals' with them.
UPDATE "keys" SET "previous_sha256" = '486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7', "previous_valid_until" = now() + interval '1 day';
UPDATE "key_totals" SET "requests" = 1, "total_tokens" = 120, "cost_nano_usd" = 325000, "last_used_at" = '2025-11-21 00:00:00+00';
UPDATE "user_totals" SET "requests" = 1, "total_tokens" = 120, "cost_nano_usd" = 325000, "last_used_at" = '2025-11-21 00:00:00+00';
