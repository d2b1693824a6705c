/** Status of a key: the first that applies of revoked, disabled, expired, active. Separate from the inputs, for pages without forms. */
export const keyStatuses = ["active", "disabled", "expired", "revoked"] as const;
export type KeyStatus = (typeof keyStatuses)[number];
