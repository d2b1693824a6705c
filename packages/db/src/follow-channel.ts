import type { Redis } from "ioredis";

export interface ChannelFollower {
  onMessage: (text: string) => void;
  /** After each (re)subscription: what was published before it is lost, so catch up by reading. */
  onSubscribed: () => void;
  /** The connection is gone: from here on nothing is heard, until `onSubscribed`. */
  onLost?: () => void;
}

/**
 * Follows one channel for as long as the process lives, through every outage: on a connection of its own, which
 * subscribes again whenever it is ready. Returns what ends it.
 */
export function followChannel(redis: Redis, channel: string, follower: ChannelFollower): () => void {
  const subscriber = redis.duplicate({
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
  });
  // The connection that commands use reports the outage; without a listener it would end the process.
  subscriber.on("error", () => {});
  subscriber.on("message", (from: string, text: string) => {
    if (from === channel) follower.onMessage(text);
  });
  subscriber.on("ready", () => {
    // It fails only with the connection, and the next one subscribes again.
    subscriber.subscribe(channel).then(follower.onSubscribed, () => {});
  });
  if (follower.onLost) subscriber.on("close", follower.onLost);
  return () => subscriber.disconnect();
}
