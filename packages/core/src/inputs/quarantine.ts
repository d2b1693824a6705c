import { z } from "zod";
import { PageInput } from "./page.ts";
import { uuidField } from "./uuid.ts";

/** States of a record that Postgres refused. */
export const quarantineStates = ["waiting", "released", "dismissed"] as const;
export type QuarantineState = (typeof quarantineStates)[number];

/** The id of damaged bytes is not a UUIDv7 of ours, so any UUID is a valid cursor here. */
export const ListQuarantineInput = z.strictObject({
  ...PageInput.shape,
  cursor: uuidField.nullish(),
  state: z.enum(quarantineStates).optional(),
});

export const QuarantinedInput = z.strictObject({ id: uuidField });

export const DismissQuarantinedInput = z.strictObject({ id: uuidField, reason: z.string().trim().min(1).max(500) });
