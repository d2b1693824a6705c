import { z } from "zod";

/** A count; 0 or null = no limit at this owner. The limits of other owners apply in any case. */
export const limitField = z.int().min(0).max(1_000_000).nullable();
const tokensField = z.int().min(0).max(1_000_000_000).nullable();

/** USD as a plain decimal with nano-USD precision; 0 or null = none. */
export const costLimitField = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,9})?$/, "USD as a plain decimal such as 12.50")
  .nullable();

/** The limits an owner can have. Fields as in core/limits/limit-values. */
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

/** For creation: absent = no limit. */
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

/** For an update: absent = unchanged. */
export const changedLimitFields = {
  rpm: limitField.optional(),
  tpm: tokensField.optional(),
  inFlight: limitField.optional(),
  cost5hUsd: costLimitField.optional(),
  costDayUsd: costLimitField.optional(),
  costWeekUsd: costLimitField.optional(),
  costMonthUsd: costLimitField.optional(),
  costTotalUsd: costLimitField.optional(),
  /** Restarts the total cost at 0. */
  resetCost: z.literal(true).optional(),
};
