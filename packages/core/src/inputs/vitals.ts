import { z } from "zod";
import { MOST_VITALS, measuredPages, vitalNames } from "../vitals.ts";

const vital = z.strictObject({ name: z.enum(vitalNames), page: z.enum(measuredPages), ms: z.number().min(0).max(600_000) });

export const ReportVitalsInput = z.strictObject({ vitals: z.array(vital).min(1).max(MOST_VITALS) });
