-- What a provider may say for itself: priorities by group, hours, timeouts and breakers. Empty = as before.
ALTER TABLE "providers" ADD COLUMN "group_priorities" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN "schedule" JSONB NOT NULL DEFAULT '{"zone":"UTC","windows":[]}',
ADD COLUMN "timeouts" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN "breaker" JSONB NOT NULL DEFAULT '{}';
