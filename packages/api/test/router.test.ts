import { declaredAccess } from "@sluice/api/declared-access";
import { procedures } from "@sluice/api/router";
import { procedure, router } from "@sluice/api/trpc";
import { describe, expect, it } from "vitest";

describe("the router", () => {
  it("refuses to be built with a procedure that does not say who may call it", () => {
    const careless = router({ keys: router({ list: procedure.query(() => []) }) });
    expect(() => declaredAccess(careless)).toThrow("procedures without declared access: keys.list");
  });

  it("offers nothing to the public but the question who is signed in", () => {
    expect(procedures.filter(({ access }) => access === "public").map(({ path }) => path)).toEqual(["logins.current"]);
  });

  it("keeps everything of administrators from users and from holders of a key", () => {
    const open = procedures.filter(({ access }) => access === "user" || access === "key").map(({ path }) => path);
    // Every procedure of these routers limits itself to the actor's own data; of the other routers, only the two below do.
    const own = ["credits", "keys", "live", "logins", "logs", "names", "overview", "sessions", "statistics"];
    const others = open.filter((path) => !own.includes(path.split(".")[0] ?? ""));
    expect(others.sort()).toEqual(["system.reportVitals", "users.stats"]);
  });
});
