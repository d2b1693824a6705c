-- What the code of this migration writes besides: the rows of the ones before are there already.
INSERT INTO "alert_channels" ("id", "name", "kind", "config", "secret", "updated_at") VALUES
  ('019aa400-0000-7000-8000-0000000000a1', 'On call', 'webhook', '{"url":"https://hooks.example.com/sluice"}', 'v1:sealed', '2026-11-28T15:00:00Z');
INSERT INTO "alert_rules" ("id", "name", "kind", "threshold", "window_minutes", "minimum_requests", "channel_ids", "updated_at") VALUES
  ('019aa400-0000-7000-8000-0000000000a2', 'Errors', 'error_rate', 20, 15, 20, '{019aa400-0000-7000-8000-0000000000a1}', '2026-11-28T15:00:00Z');
INSERT INTO "alert_incidents" ("id", "rule_id", "rule_name", "kind", "severity", "subject", "subject_id", "threshold", "value", "last_value", "fired_at") VALUES
  ('019aa400-0000-7000-8000-0000000000a3', '019aa400-0000-7000-8000-0000000000a2', 'Errors', 'error_rate', 'warning', 'all', '', 20, 31.5, 40, '2026-11-28T15:01:00Z');
INSERT INTO "alert_deliveries" ("id", "incident_id", "channel_id", "transition", "next_at") VALUES
  ('019aa400-0000-7000-8000-0000000000a4', '019aa400-0000-7000-8000-0000000000a3', '019aa400-0000-7000-8000-0000000000a1', 'fired', '2026-11-28T15:01:00Z');
