/** SQL for a timestamp as milliseconds since the epoch, which the driver returns as a number; null stays null. */
export function epochMs(timestamp: string): string {
  return `(extract(epoch FROM ${timestamp}) * 1000)::float8`;
}
