import type { Redis } from "ioredis";

export interface ChannelFollower {
  onMessage: (text: string) => void;
  /** Called after each (re)subscription. Earlier messages are lost, so catch up by reading. */
  onSubscribed: () => void;
  /** The connection is gone: nothing is received until `onSubscribed`. */
  onLost?: () => void;
}

/**
 * Follows one channel for the lifetime of the process, through every outage, on a connection of its own that subscribes again
 * whenever it is ready. Returns a function that ends it.
 */
export function followChannel(redis: Redis, channel: string, follower: ChannelFollower): () => void {
  const subscriber = redis.duplicate({
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
  });
  // The command connection reports the outage; without a listener the error would end the process.
  subscriber.on("error", () => {});
  subscriber.on("message", (from: string, text: string) => {
    if (from === channel) follower.onMessage(text);
  });
  subscriber.on("ready", () => {
    // It fails only together with the connection, and the next connection subscribes again.
    subscriber.subscribe(channel).then(follower.onSubscribed, () => {});
  });
  if (follower.onLost) subscriber.on("close", follower.onLost);
  return () => subscriber.disconnect();
}
