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
    fix: "Send it with a JSON library rather than by joining text, and without a byte order mark.",
  },
  duplicate_field: {
    why: "A field stands twice at the top of the body. Programs would disagree about which one counts.",
    fix: "Send each field once.",
  },
  too_deep: { why: "The body is nested deeper than 64 levels.", fix: "Flatten it, or send the inner part as text." },
  not_convertible: {
    why: "Only a provider of another API could take this request, and it uses something that API cannot express.",
    fix: "Leave out the part the message names, or call a model that a provider of your own API serves.",
  },
  missing_model: { why: "The body has no field model, or it is not text.", fix: "Name the model, as GET /v1/models lists it." },
  invalid_host: { why: "The Host header is missing, repeated or malformed.", fix: "Look at the proxy between client and gateway." },
  invalid_target: {
    why: "The request line holds a full address instead of a path.",
    fix: "Use the gateway as base URL, not as HTTP proxy.",
  },
  conflicting_credentials: {
    why: "Two different keys came with one request, for instance one in Authorization and one in x-api-key.",
    fix: "Send one of them; look for an environment variable that sets the other.",
  },
  missing_key: { why: "The request carried no key.", fix: "Set the key in the client, as the snippets of the keys page show." },
  invalid_key: {
    why: "No such key exists: mistyped, cut off, rotated or revoked.",
    fix: "Copy the key again, or make a new one. A rotated key works until its overlap ends.",
  },
  insufficient_credit: {
    why: "The account is prepaid, and what is left does not cover the most that this request may cost.",
    fix: "Top up the credit, or ask for less output: the reservation counts with the maximum.",
  },
  key_disabled: { why: "An administrator has switched the key off.", fix: "Ask the administrator, or use another key." },
  key_expired: {
    why: "The key has an end, and that is over; or it was rotated and its overlap has ended.",
    fix: "Use the new key, or have the end moved.",
  },
  user_disabled: { why: "The owner of the key is switched off, and with them all of their keys.", fix: "Ask the administrator." },
  user_expired: { why: "The keys of this owner had an end, and that is over.", fix: "Ask the administrator to extend it." },
  address_not_allowed: {
    why: "The key, or its owner, may be used from certain addresses only.",
    fix: "Call from an allowed network, or have this address added to the policy.",
  },
  client_not_allowed: {
    why: "A policy of the key, or of its owner, does not allow this client (by its User-Agent).",
    fix: "Use an allowed client, or have the policy changed.",
  },
  model_not_allowed: {
    why: "A policy of the key, or of its owner, does not allow this model.",
    fix: "Call an allowed model; GET /v1/models lists those of the key.",
  },
  unauthenticated: { why: "Nobody is signed in here, or the sign-in is over.", fix: "Sign in." },
  bad_credentials: { why: "What was entered does not fit.", fix: "Try again; an administrator can set a new password." },
  forbidden: { why: "This is for somebody with more rights.", fix: "Ask an administrator." },
  bad_origin: {
    why: "The call came from a page of another site.",
    fix: "Use the console itself; behind a proxy, check SLUICE_PUBLIC_URL.",
  },
  not_found: { why: "There is nothing of this name, or it is not yours to see.", fix: "Check the address or the id." },
  no_longer_kept: { why: "Rows this old have been dropped by the retention.", fix: "Sums of that time are still in the statistics." },
  unknown_model: {
    why: "No provider that this key's group may use serves the model.",
    fix: "Check the spelling against GET /v1/models; else an administrator has to add the model to a provider.",
  },
  unpriced_model: {
    why: "The model has no price, and this installation refuses what it cannot price.",
    fix: "An administrator has to add a price, or to allow unpriced models.",
  },
  method_not_allowed: { why: "The path exists, but not with this method.", fix: "Most calls are POST." },
  conflict: { why: "It exists already, or somebody changed it in the meantime.", fix: "Read it again and repeat the change." },
  body_too_large: { why: "The body is larger than 32 MB.", fix: "Send smaller images or fewer of them." },
  unsupported_media_type: { why: "The body is not declared as JSON.", fix: "Send content-type: application/json." },
  unsupported_encoding: { why: "The body is compressed.", fix: "Send it plain, without content-encoding." },
  too_many_headers: { why: "More than 100 headers came.", fix: "Look at the proxy in between." },
  rate_limited: {
    why: "So many requests began within the last minute that no further one may.",
    fix: "Wait for the time in retry-after; official clients do so by themselves. A higher limit is set by an administrator.",
  },
  tokens_limited: {
    why: "So many tokens were used within the last minute that no further request may begin.",
    fix: "Wait for the time in retry-after, or send shorter requests.",
  },
  cost_limited: {
    why: "What is spent and reserved, together with the most that this request may cost, is above a limit of cost.",
    fix: "Ask for less output, wait until the window begins anew where that makes room, or have the limit raised.",
  },
  in_flight_limited: {
    why: "So many requests are in flight that no further one may begin.",
    fix: "Wait until one ends; run fewer at a time.",
  },
  too_many_exports: { why: "Exports are large; only a few may run at a time.", fix: "Wait until one is done." },
  login_throttled: { why: "Too many sign-ins have failed.", fix: "Wait some minutes." },
  cancelled: {
    why: "Somebody ended the request in the console, or ended its session or its key.",
    fix: "Send it again if it was a mistake.",
  },
  internal: { why: "The gateway itself made a mistake.", fix: "Try again; tell the administrator the request id if it stays." },
  upstream_error: {
    why: "The provider answered with an error, and no other provider could take over.",
    fix: "Try again. The attempts below say what was tried.",
  },
  upstream_auth: {
    why: "The provider did not accept its credentials. Yours are fine.",
    fix: "An administrator has to renew the provider's credentials.",
  },
  upstream_encoding: {
    why: "The provider compressed its answer in a way that is not accepted.",
    fix: "An administrator has to look at the provider.",
  },
  upstream_blocked: {
    why: "The provider's address is not public, unknown or blocked.",
    fix: "An administrator has to look at the provider's address.",
  },
  upstream_rate_limited: {
    why: "The provider's own limit is reached. No limit of yours is.",
    fix: "Wait a moment; another provider of the model would help.",
  },
  upstream_overloaded: { why: "The provider has too much to do.", fix: "Try again in a moment." },
  upstream_truncated: {
    why: "The provider's stream stopped before its end. What had come was billed.",
    fix: "Try again.",
  },
  no_provider: {
    why: "Every provider that serves the model has just failed, is at its limit, outside its hours or switched off.",
    fix: "Try again after the time in retry-after.",
  },
  overloaded: { why: "The gateway itself has too much to do.", fix: "Try again in a moment." },
  unavailable: { why: "A part of the gateway cannot be reached right now.", fix: "Try again in a moment." },
  spool_unavailable: {
    why: "The gateway could not write down what would be used, and serves nothing it cannot record.",
    fix: "An administrator has to look at the disk.",
  },
  draining: { why: "This instance is being stopped.", fix: "Try again: another one answers." },
  upstream_timeout: {
    why: "The provider sent nothing for too long.",
    fix: "Try again; long answers should be streamed.",
  },
};
