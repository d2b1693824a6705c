import type { AlertSeverity } from "@sluice/core/alerts/alert-kinds";
import { OctagonAlert, TriangleAlert } from "lucide-react";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";

export function SeverityBadge({ severity }: { severity: AlertSeverity }) {
  const { t } = useTexts();
  const Icon = severity === "critical" ? OctagonAlert : TriangleAlert;
  return (
    <Badge tone={severity === "critical" ? "bad" : "warn"}>
      <Icon aria-hidden="true" />
      {t(`alerts.severity.${severity}`)}
    </Badge>
  );
}
