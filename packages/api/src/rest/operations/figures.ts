import { GetLatencyInput, GetOverviewInput } from "@sluice/core/inputs/overview";
import { getLatency } from "@sluice/services/overview/get-latency";
import { getOverview } from "@sluice/services/overview/get-overview";
import { latency, overview } from "../answers/figures.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Figures";

export const figureOperations: readonly Operation[] = [
  operation({
    ...{ id: "getOverview", at: "GET /overview", access: "user", tag },
    summary: "Today's figures, series and top lists of a range, and current activity",
    ...{ input: GetOverviewInput, answer: overview, verb: getOverview },
  }),
  operation({
    ...{ id: "getLatency", at: "GET /latency", access: "user", tag },
    summary: "Percentiles of time to first content and of duration",
    ...{ input: GetLatencyInput, answer: latency, verb: getLatency },
  }),
];
