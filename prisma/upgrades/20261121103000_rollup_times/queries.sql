SELECT "tenant_id", "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class", "ttft_count", "ttft_ms_sum", "duration_ms_sum" FROM "rollups_day";
