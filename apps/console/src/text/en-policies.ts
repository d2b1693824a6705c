/** What a key, or all keys of a user, may be used for. */
export const policies = {
  title: "Policies",
  models: "Allowed models",
  modelsHint: "One per line, such as gpt-5, claude-* or /^o[34]/. Empty: any model.",
  allowedClients: "Allowed clients",
  allowedClientsHint: "User agents, one per line; * matches any text, as in claude-cli/*. Empty: any client.",
  blockedClients: "Blocked clients",
  blockedClientsHint: "User agents, one per line. They are blocked even if allowed above.",
  addresses: "Allowed addresses",
  addressesHint: "One per line, such as 10.0.0.0/8 or 2001:db8::/32. Empty: any address.",
  validDays: "Valid days after the first request",
  validDaysHint: "The key expires this many days after its first request. Empty: never.",
  userExpires: "Keys expire",
  userExpiresHint: "When all keys of this user expire. Empty: never.",
  days_one: "{{count}} day after the first request",
  days_other: "{{count}} days after the first request",
  none: "No restrictions apply to this key.",
} as const;
