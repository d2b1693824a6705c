/** What a key is good for now, the first that is true: revoked, disabled, expired, active. Apart from the inputs: a page shows it without a form. */
export const keyStatuses = ["active", "disabled", "expired", "revoked"] as const;
export type KeyStatus = (typeof keyStatuses)[number];
