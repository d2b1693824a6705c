import superjson, { type SuperJSONResult } from "superjson";
import { observeServerTime } from "../live/server-clock.ts";
import { api, type Outputs, queryClient } from "./client.ts";

export type CurrentLogin = Outputs["logins"]["current"];
export type SignedIn = CurrentLogin & { user: NonNullable<CurrentLogin["user"]> };

export const isSignedIn = (login: CurrentLogin): login is SignedIn => login.user !== null;

/** Who is signed in here: asked once, then kept until signing in or out, or until the stream says that it changed. */
export async function currentLogin(): Promise<CurrentLogin> {
  await takeEarlyAnswer();
  const login = await queryClient.ensureQueryData(api.logins.current.queryOptions());
  observeServerTime(login.serverNowMs);
  return login;
}

declare global {
  /** The answer that theme.js asked for; gone once it was taken. */
  var sluiceLogin: Promise<Response> | undefined;
}

let taking: Promise<void> | undefined;

/** Keeps the answer asked for by theme.js as if it had been asked here. One that failed is asked again in the ordinary way. */
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

/** Forgets who is signed in, so that the next page asks again. */
export async function forgetLogin(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: api.logins.current.queryKey() });
  queryClient.removeQueries({ queryKey: api.logins.current.queryKey() });
}
