-- What a key and all keys of a user may be used for, and when a user's keys end. Empty = as before.
ALTER TABLE "keys" ADD COLUMN "policies" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "users" ADD COLUMN "policies" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN "expires_at" TIMESTAMPTZ(3);
