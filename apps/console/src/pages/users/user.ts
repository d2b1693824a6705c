import type { Outputs } from "../../api/client.ts";

/** A user as lists show it. */
export type User = Outputs["users"]["list"]["items"][number];
