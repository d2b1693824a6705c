-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "keys" SET "policies" = '{"models":["claude-*"],"addresses":["10.0.0.0/8"],"validDays":30}';
UPDATE "users" SET "policies" = '{"blockedClients":["curl/*"]}', "expires_at" = '2027-01-01T00:00:00Z';
