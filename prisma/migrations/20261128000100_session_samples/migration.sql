-- How many sessions were active, looked at once in five minutes: no sum over requests could tell it afterwards.
CREATE TABLE "session_samples" (
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "active" INTEGER NOT NULL,

    CONSTRAINT "session_samples_pkey" PRIMARY KEY ("tenant_id","user_id","bucket")
);
