import { declaredAccess } from "@sluice/api/declared-access";
import { shareOutput, transformer } from "@sluice/api/frame-transformer";
import { procedures } from "@sluice/api/router";
import { procedure, router } from "@sluice/api/trpc";
import SuperJSON from "superjson";
import { describe, expect, it } from "vitest";

describe("the router", () => {
  it("refuses to be built with a procedure that does not say who may call it", () => {
    const careless = router({ keys: router({ list: procedure.query(() => []) }) });
    expect(() => declaredAccess(careless)).toThrow("procedures without declared access: keys.list");
  });

  it("offers nothing to the public but the question who one is", () => {
    expect(procedures.filter(({ access }) => access === "public").map(({ path }) => path)).toEqual(["logins.current"]);
  });

  it("keeps everything of administrators from users", () => {
    const open = procedures.filter(({ access }) => access === "user").map(({ path }) => path.split(".")[0]);
    expect(new Set(open)).toEqual(new Set(["keys", "live", "logs", "names", "sessions"]));
  });
});

describe("a frame for many viewers", () => {
  it("is serialised once, and reads like any other", () => {
    const frame = { id: "e:1-0", events: [{ at: new Date(0) }], serverNowMs: 1 };
    shareOutput(frame);
    const output = transformer.output.serialize(frame);
    expect(transformer.output.serialize(frame)).toBe(output);
    expect(SuperJSON.deserialize(output as Parameters<typeof SuperJSON.deserialize>[0])).toEqual(frame);
  });

  it("is the only thing that is kept", () => {
    const answer = { rows: [] };
    expect(transformer.output.serialize(answer)).not.toBe(transformer.output.serialize(answer));
  });
});
