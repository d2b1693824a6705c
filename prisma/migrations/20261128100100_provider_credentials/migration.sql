-- Further credentials, each sealed for itself; headers that are sent along, and a proxy on the way (its address is sealed).
ALTER TABLE "providers" ADD COLUMN "credentials" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN "credential_order" TEXT NOT NULL DEFAULT 'first',
ADD COLUMN "secret_weight" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN "headers" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN "proxy" TEXT NOT NULL DEFAULT '';
