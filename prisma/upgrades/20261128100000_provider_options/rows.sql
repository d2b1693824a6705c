-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "providers" SET "model_redirects" = '[{"from":"claude-*","to":"claude-fake"}]', "group_priorities" = '{"default":3}',
  "schedule" = '{"zone":"Asia/Shanghai","windows":[{"from":"22:00","to":"06:00"}]}', "timeouts" = '{"totalMs":60000}', "breaker" = '{"failures":2}';
