import superjson, { type SuperJSONResult } from "superjson";
import { observeServerTime } from "../live/server-clock.ts";
import { api, type Outputs, queryClient } from "./client.ts";

export type CurrentLogin = Outputs["logins"]["current"];
export type SignedIn = CurrentLogin & { user: NonNullable<CurrentLogin["user"]> };

export const isSignedIn = (login: CurrentLogin): login is SignedIn => login.user !== null;

/** The current login: requested once, then cached until signing in or out, or until the stream reports a change. */
export async function currentLogin(): Promise<CurrentLogin> {
  await takeEarlyAnswer();
  const login = await queryClient.ensureQueryData(api.logins.current.queryOptions());
  observeServerTime(login.serverNowMs);
  return login;
}

declare global {
  /** The response to the request that theme.js sent; removed once it is used. */
  var sluiceLogin: Promise<Response> | undefined;
}

let taking: Promise<void> | undefined;

/** Adopts the early answer requested by theme.js. If it failed, the usual request is made instead. */
function takeEarlyAnswer(): Promise<void> {
  taking ??= (async () => {
    const response = await globalThis.sluiceLogin?.catch(() => undefined);
    globalThis.sluiceLogin = undefined;
    if (!response?.ok) return;
    const { result } = (await response.json()) as { result: { data: SuperJSONResult } };
    queryClient.setQueryData(api.logins.current.queryKey(), superjson.deserialize<CurrentLogin>(result.data));
  })().catch(() => undefined);
  return taking;
}

/** Forgets the current login, so that the next page requests it again. */
export async function forgetLogin(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: api.logins.current.queryKey() });
  queryClient.removeQueries({ queryKey: api.logins.current.queryKey() });
}
