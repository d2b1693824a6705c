-- A login made by a client's key holds for that key alone. NULL = of a user, as before.
ALTER TABLE "logins" ADD COLUMN "key_sha256" TEXT;
