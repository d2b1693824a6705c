-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "providers" SET "credentials" = '[{"label":"spare","weight":2,"secret":"v1:aa:bb:cc:dd"}]', "credential_order" = 'weighted', "secret_weight" = 3,
  "headers" = '{"x-team":"blue"}', "proxy" = 'v1:aa:bb:cc:dd';
