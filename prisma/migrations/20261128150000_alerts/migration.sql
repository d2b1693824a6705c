-- CreateTable
CREATE TABLE "alert_rules" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "severity" TEXT NOT NULL DEFAULT 'warning',
    "threshold" DECIMAL(24,9) NOT NULL,
    "capacity_bytes" BIGINT NOT NULL DEFAULT 0,
    "window_minutes" INTEGER NOT NULL,
    "minimum_requests" INTEGER NOT NULL,
    "scope" TEXT NOT NULL DEFAULT 'all',
    "scope_id" TEXT NOT NULL DEFAULT '',
    "resolve_after_seconds" INTEGER NOT NULL DEFAULT 60,
    "quiet_hours" JSONB NOT NULL DEFAULT '{"zone":"UTC","windows":[]}',
    "critical_through" BOOLEAN NOT NULL DEFAULT true,
    "channel_ids" UUID[],
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "alert_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alert_channels" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "language" TEXT NOT NULL DEFAULT 'en',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "config" JSONB NOT NULL,
    "secret" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "alert_channels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alert_incidents" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "rule_id" UUID NOT NULL,
    "rule_name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "threshold" DECIMAL(24,9) NOT NULL,
    "value" DECIMAL(24,9) NOT NULL,
    "last_value" DECIMAL(24,9) NOT NULL,
    "fired_at" TIMESTAMPTZ(3) NOT NULL,
    "clear_since" TIMESTAMPTZ(3),
    "resolved_at" TIMESTAMPTZ(3),
    "resolution" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "alert_incidents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alert_deliveries" (
    "id" UUID NOT NULL,
    "incident_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "transition" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "delivered_at" TIMESTAMPTZ(3),
    "answer" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "alert_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "alert_rules_tenant_id_name_key" ON "alert_rules"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "alert_channels_tenant_id_name_key" ON "alert_channels"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "alert_incidents_tenant_id_id_idx" ON "alert_incidents"("tenant_id", "id" DESC);

-- By hand: whoever evaluates, and however often, a rule has one open incident about a subject.
CREATE UNIQUE INDEX "alert_incidents_open_key" ON "alert_incidents"("rule_id", "subject", "subject_id") WHERE "resolved_at" IS NULL;

-- CreateIndex
CREATE UNIQUE INDEX "alert_deliveries_incident_id_transition_channel_id_key" ON "alert_deliveries"("incident_id", "transition", "channel_id");

-- CreateIndex
CREATE INDEX "alert_deliveries_channel_id_idx" ON "alert_deliveries"("channel_id");

-- By hand: what is due is found however many were delivered.
CREATE INDEX "alert_deliveries_due_idx" ON "alert_deliveries"("next_at") WHERE "state" = 'pending';

-- AddForeignKey
ALTER TABLE "alert_deliveries" ADD CONSTRAINT "alert_deliveries_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "alert_incidents"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alert_deliveries" ADD CONSTRAINT "alert_deliveries_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "alert_channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;
