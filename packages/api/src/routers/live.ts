import { FollowEventsInput, followEvents } from "@sluice/services/live/follow-events";
import { tracked } from "@trpc/server";
import { input, procedure, router } from "../trpc.ts";

export const liveRouter = router({
  events: procedure
    .meta({ access: "key" })
    .input(input(FollowEventsInput.optional()))
    .subscription(async function* ({ ctx, input, signal }) {
      for await (const frame of followEvents(ctx, input, signal)) yield tracked(frame.id, frame);
    }),
});
