/** What a key, or all keys of a user, may be used for. */
export const policies = {
  title: "Policies",
  models: "Allowed models",
  modelsHint: "One a line, as gpt-5, claude-* or /^o[34]/. Empty: any model.",
  allowedClients: "Allowed clients",
  allowedClientsHint: "User agents, one a line; * is any text, as claude-cli/*. Empty: any client.",
  blockedClients: "Blocked clients",
  blockedClientsHint: "User agents, one a line. They stay out even when allowed.",
  addresses: "Allowed addresses",
  addressesHint: "One a line, as 10.0.0.0/8 or 2001:db8::/32. Empty: from anywhere.",
  validDays: "Days from the first request",
  validDaysHint: "It expires so many days after its first request. Empty: no such end.",
  userExpires: "Keys expire",
  userExpiresHint: "All keys of this user end then. Empty: never.",
  days_one: "{{count}} day from the first request",
  days_other: "{{count}} days from the first request",
  none: "Nothing is ruled out for this key.",
} as const;
