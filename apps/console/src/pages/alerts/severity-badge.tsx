import type { AlertSeverity } from "@sluice/core/alerts/alert-kinds";
import { OctagonAlert, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../ui/badge.tsx";

export function SeverityBadge({ severity }: { severity: AlertSeverity }) {
  const { t } = useTranslation();
  const Icon = severity === "critical" ? OctagonAlert : TriangleAlert;
  return (
    <Badge tone={severity === "critical" ? "bad" : "warn"}>
      <Icon aria-hidden="true" />
      {t(`alerts.severity.${severity}`)}
    </Badge>
  );
}
