import type { OverviewRange } from "@sluice/core/overview-range";
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { formatDuration, formatExact } from "../format.ts";
import { useTexts } from "../text/i18n.ts";
import { FailureBox } from "../ui/states.tsx";

interface LatencyTableProps {
  range: OverviewRange;
  /** Absent = over all providers. */
  providerId?: string;
}

const shares = ["p50", "p95", "p99"] as const;

/** Percentiles of a range, from sums: read when shown, and not updated afterwards. */
export function LatencyTable({ range, providerId }: LatencyTableProps) {
  const { t, language } = useTexts();
  const input = providerId === undefined ? { range } : { range, providerId };
  const { data, error, refetch } = useQuery(api.overview.latency.queryOptions(input));
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  const name = t("overview.latency", { range: t(`overview.ranges.${range}`) });
  return (
    <table aria-label={name} className="w-full text-xs tabular-nums">
      <thead>
        <tr className="text-ink-3">
          <th scope="col" className="h-6 text-left font-normal">
            {name}
          </th>
          {shares.map((share) => (
            <th key={share} scope="col" className="w-18 text-right font-normal">
              {share}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {(["ttft", "duration"] as const).map((what) => (
          <tr
            key={what}
            title={data && t("overview.latencyOf", { count: data[what].requests, requests: formatExact(data[what].requests, language) })}
          >
            <th scope="row" className="h-6 text-left font-normal text-ink-2">
              {t(`overview.${what}`)}
            </th>
            {shares.map((share) => (
              <td key={share} className="text-right font-medium">
                {data ? formatDuration(data[what][share]) : "…"}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
