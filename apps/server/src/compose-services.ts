import type { Services } from "@sluice/services/context";
import { createServices, type ServicesParts } from "@sluice/services/create-services";
import type { Rooms } from "./rooms.ts";
import type { Storage } from "./storage.ts";

interface ComposeParts extends Pick<ServicesParts, "secret" | "log" | "version" | "publicUrl" | "measures"> {
  storage: Storage;
  rooms: Rooms;
}

/** The services over what a process has opened, for the server and for commands. */
export function composeServices({ storage, rooms, ...parts }: ComposeParts): Services {
  const { prisma, pool, redis } = storage;
  const { live, snapshot, cache, admission, credit, egress } = rooms;
  return createServices({ prisma, pool, redis, live, snapshot, cache, admission, credit, egress, ...parts });
}
