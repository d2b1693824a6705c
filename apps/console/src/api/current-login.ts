import { observeServerTime } from "../live/server-clock.ts";
import { api, type Outputs, queryClient } from "./client.ts";

export type CurrentLogin = Outputs["logins"]["current"];
export type SignedIn = CurrentLogin & { user: NonNullable<CurrentLogin["user"]> };

/** Who is signed in here: asked once, then kept until signing in or out, or until the stream says that it changed. */
export async function currentLogin(): Promise<CurrentLogin> {
  const login = await queryClient.ensureQueryData(api.logins.current.queryOptions());
  observeServerTime(login.serverNowMs);
  return login;
}

/** Forgets who is signed in, so that the next page asks again. */
export async function forgetLogin(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: api.logins.current.queryKey() });
  queryClient.removeQueries({ queryKey: api.logins.current.queryKey() });
}
