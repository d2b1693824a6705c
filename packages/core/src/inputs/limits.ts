import { z } from "zod";

/** A count; 0 or null = no limit of its own, so that the next owner's holds. */
export const limitField = z.int().min(0).max(1_000_000).nullable();
const tokensField = z.int().min(0).max(1_000_000_000).nullable();

/** USD as a plain decimal, to the nano-USD; 0 or null = none. */
export const costLimitField = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,9})?$/, "USD as a plain decimal such as 12.50")
  .nullable();

/** What may be limited at an owner. Fields as in core/limits/limit-values. */
export const limitFields = {
  rpm: limitField,
  tpm: tokensField,
  inFlight: limitField,
  cost5hUsd: costLimitField,
  costDayUsd: costLimitField,
  costWeekUsd: costLimitField,
  costMonthUsd: costLimitField,
  costTotalUsd: costLimitField,
};

/** Names of {@link limitFields}, in the order of forms. */
export const limitNames = Object.keys(limitFields) as (keyof typeof limitFields)[];

/** Of something new: none unless said. */
export const newLimitFields = {
  rpm: limitField.default(null),
  tpm: tokensField.default(null),
  inFlight: limitField.default(null),
  cost5hUsd: costLimitField.default(null),
  costDayUsd: costLimitField.default(null),
  costWeekUsd: costLimitField.default(null),
  costMonthUsd: costLimitField.default(null),
  costTotalUsd: costLimitField.default(null),
};

/** Of a change: absent = as it is. */
export const changedLimitFields = {
  rpm: limitField.optional(),
  tpm: tokensField.optional(),
  inFlight: limitField.optional(),
  cost5hUsd: costLimitField.optional(),
  costDayUsd: costLimitField.optional(),
  costWeekUsd: costLimitField.optional(),
  costMonthUsd: costLimitField.optional(),
  costTotalUsd: costLimitField.optional(),
  /** The total counts from now on. */
  resetCost: z.literal(true).optional(),
};
