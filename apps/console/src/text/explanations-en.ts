import type { ErrorCode } from "@sluice/core/errors";

/** Why an error happens, and what to do about it. */
export interface Explanation {
  why: string;
  fix: string;
}

/** One explanation per code of the catalogue; loaded on demand, not with every page. */
export const explanationsEn: Record<ErrorCode, Explanation> = {
  invalid_request: {
    why: "Something in the request is missing, of the wrong type or out of range. The message names the field.",
    fix: "Correct that field; the same request will not work later.",
  },
  invalid_json: {
    why: "The body could not be read as JSON in UTF-8.",
    fix: "Build the body with a JSON library rather than by joining strings, and send no byte order mark.",
  },
  duplicate_field: {
    why: "A field appears twice at the top level of the body. Programs would disagree about which one counts.",
    fix: "Send each field once.",
  },
  too_deep: { why: "The body is nested deeper than 64 levels.", fix: "Flatten it, or send the inner part as text." },
  not_convertible: {
    why: "Only a provider with another API could serve this request, and the request uses something that API cannot express.",
    fix: "Remove the part that the message names, or call a model served by a provider with the same API as yours.",
  },
  missing_model: { why: "The body has no model field, or it is not a string.", fix: "Set model to a name that GET /v1/models lists." },
  invalid_host: { why: "The Host header is missing, repeated or malformed.", fix: "Check the proxy between the client and the gateway." },
  invalid_target: {
    why: "The request line contains a full URL instead of a path.",
    fix: "Configure the gateway as the base URL, not as an HTTP proxy.",
  },
  conflicting_credentials: {
    why: "The request carries two different keys, for instance one in Authorization and one in x-api-key.",
    fix: "Send only one. Look for an environment variable that sets the other.",
  },
  missing_key: { why: "The request carries no key.", fix: "Set the key in the client, as the snippets on the keys page show." },
  invalid_key: {
    why: "The key does not exist: it was mistyped, truncated, rotated or revoked.",
    fix: "Copy the key again, or create a new one. The old secret of a rotated key works until its overlap ends.",
  },
  insufficient_credit: {
    why: "The account is prepaid, and the remaining credit does not cover the most that this request may cost.",
    fix: "Top up the credit, or lower the maximum output: the reservation assumes all of it.",
  },
  key_disabled: { why: "The key has been disabled.", fix: "Ask an administrator, or use another key." },
  key_expired: {
    why: "The key's expiry date has passed, or it was rotated and its overlap has ended.",
    fix: "Use the new key, or have the expiry date extended.",
  },
  user_disabled: { why: "The owner of the key is disabled, and with them all of their keys.", fix: "Ask an administrator." },
  user_expired: { why: "The expiry date for this owner's keys has passed.", fix: "Ask an administrator to extend it." },
  address_not_allowed: {
    why: "A policy of the key or of its owner allows certain addresses only.",
    fix: "Call from an allowed network, or have this address added to the policy.",
  },
  client_not_allowed: {
    why: "A policy of the key or of its owner does not allow this client (by its User-Agent).",
    fix: "Use an allowed client, or have the policy changed.",
  },
  model_not_allowed: {
    why: "A policy of the key or of its owner does not allow this model.",
    fix: "Call an allowed model; GET /v1/models lists those of the key.",
  },
  unauthenticated: { why: "You are not signed in, or your login has expired.", fix: "Sign in." },
  bad_credentials: { why: "The e-mail address or the password is wrong.", fix: "Try again. An administrator can set a new password." },
  forbidden: { why: "This needs more rights than you have.", fix: "Ask an administrator." },
  bad_origin: {
    why: "The call came from a page of another site.",
    fix: "Use the console itself; behind a proxy, check SLUICE_PUBLIC_URL.",
  },
  not_found: { why: "It does not exist, or you do not have access to it.", fix: "Check the address or the ID." },
  no_longer_kept: { why: "Data this old is past its retention period.", fix: "Totals for that time are still in the statistics." },
  unknown_model: {
    why: "No provider that this key's group may use serves the model.",
    fix: "Check the spelling against GET /v1/models. Otherwise an administrator has to add the model to a provider.",
  },
  unpriced_model: {
    why: "The model has no price, and this gateway is set to refuse models without one.",
    fix: "An administrator has to add a price or allow models without one.",
  },
  method_not_allowed: { why: "The path exists, but not with this method.", fix: "Most calls are POST." },
  conflict: { why: "It already exists, or someone changed it in the meantime.", fix: "Reload it and repeat the change." },
  body_too_large: { why: "The body is larger than 32 MB.", fix: "Send smaller images or fewer of them." },
  unsupported_media_type: { why: "The body is not declared as JSON.", fix: "Send content-type: application/json." },
  unsupported_encoding: { why: "The body is compressed.", fix: "Send it uncompressed, without content-encoding." },
  too_many_headers: { why: "The request has more than 100 headers.", fix: "Check the proxy between the client and the gateway." },
  rate_limited: {
    why: "The maximum number of requests was started within the last minute.",
    fix: "Wait as long as retry-after says; official clients do so automatically. An administrator can raise the limit.",
  },
  tokens_limited: {
    why: "The maximum number of tokens was used within the last minute.",
    fix: "Wait as long as retry-after says, or send shorter requests.",
  },
  cost_limited: {
    why: "Spent and reserved cost, plus the most that this request may cost, exceeds a cost limit.",
    fix: "Lower the maximum output, wait for the limit to reset if that makes room, or have the limit raised.",
  },
  in_flight_limited: {
    why: "The maximum number of requests is in flight.",
    fix: "Wait until one ends, or run fewer at a time.",
  },
  too_many_exports: { why: "Exports are large, so only a few can run at a time.", fix: "Wait until one has finished." },
  login_throttled: { why: "Too many sign-in attempts have failed.", fix: "Wait a few minutes." },
  cancelled: {
    why: "Someone cancelled the request in the console, or ended its session or its key.",
    fix: "Send it again if it was a mistake.",
  },
  internal: { why: "The gateway itself failed.", fix: "Try again. If it persists, give an administrator the request ID." },
  upstream_error: {
    why: "The provider answered with an error, and no other provider could take over.",
    fix: "Try again. The attempts below show what was tried.",
  },
  upstream_auth: {
    why: "The provider rejected the gateway's credentials. Your key is fine.",
    fix: "An administrator has to renew the provider's credentials.",
  },
  upstream_encoding: {
    why: "The provider compressed its response in an unsupported way.",
    fix: "An administrator has to check the provider.",
  },
  upstream_blocked: {
    why: "The provider's address is private, cannot be resolved or is blocked.",
    fix: "An administrator has to check the provider's address.",
  },
  upstream_rate_limited: {
    why: "The provider's own limit is reached, not one of yours.",
    fix: "Try again in a moment. Adding another provider for the model would help.",
  },
  upstream_overloaded: { why: "The provider is overloaded.", fix: "Try again in a moment." },
  upstream_truncated: {
    why: "The provider's stream broke off before its end. What had been received was billed.",
    fix: "Try again.",
  },
  no_provider: {
    why: "Every provider that serves the model has just failed, is at its limit, outside its active hours or disabled.",
    fix: "Try again after the time given in retry-after.",
  },
  overloaded: { why: "The gateway itself is overloaded.", fix: "Try again in a moment." },
  unavailable: { why: "Part of the gateway cannot be reached right now.", fix: "Try again in a moment." },
  spool_unavailable: {
    why: "The gateway cannot record usage, and it serves no requests that it cannot record.",
    fix: "An administrator has to check the disk.",
  },
  draining: { why: "This instance is shutting down.", fix: "Try again; another instance will respond." },
  upstream_timeout: {
    why: "The provider sent nothing for too long.",
    fix: "Try again. Stream long responses.",
  },
};
