import { randomBytes } from "node:crypto";
import type { LiveCommand } from "@sluice/core/events";
import type { Log } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import type { Commands } from "./contract.ts";
import type { RedisLink } from "./redis-link.ts";

type Listener = (command: LiveCommand) => void;

/**
 * Commands over one Redis channel, followed while there are listeners; without Redis, within the process. A process's own
 * commands are delivered at once rather than through Redis, so that what can be done here works while Redis is unavailable.
 */
export function createCommands({ link, log }: { link: RedisLink | null; log: Log }): Commands {
  const channel = `${link?.prefix ?? ""}commands`;
  const sender = randomBytes(8).toString("hex");
  const listeners = new Set<Listener>();
  let unfollow: (() => void) | null = null;

  function deliver(command: LiveCommand): void {
    for (const listener of listeners) {
      try {
        listener(command);
      } catch (error) {
        log.error({ err: error, kind: command.kind }, "live: a command failed");
      }
    }
  }

  /** A message is the sender, a space and the command. */
  function receive(message: string): void {
    const space = message.indexOf(" ");
    if (message.slice(0, space) === sender) return;
    deliver(JSON.parse(message.slice(space + 1)) as LiveCommand);
  }

  function stop(): void {
    unfollow?.();
    unfollow = null;
  }

  return {
    async send(command) {
      deliver(command);
      if (!link) return true;
      if (!link.ready()) return false;
      return link.redis.publish(channel, `${sender} ${JSON.stringify(command)}`).then(
        () => true,
        () => false,
      );
    },
    listen(listener) {
      listeners.add(listener);
      if (link) unfollow ??= followChannel(link.redis, channel, { onMessage: receive, onSubscribed: () => undefined });
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    close() {
      listeners.clear();
      stop();
    },
  };
}
