-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "logins" SET "key_sha256" = repeat('a', 64);
