/** Places where a test can kill the process, or throw like a defect, to show what survives. Callers of upstreams pass `after_headers`. */
export const failpoints = [
  "before_start",
  "after_start",
  "after_headers",
  "mid_stream",
  "after_last_chunk",
  "after_write_before_fsync",
  "after_fsync_before_ack",
  "mid_batch",
  "after_commit_before_checkpoint",
  "during_rename",
  "during_rotation",
  "during_recovery",
] as const;

export type Failpoint = (typeof failpoints)[number];
export type FailpointHook = (name: Failpoint) => void;

/**
 * Parses `name:kill@n` or `name:throw@n` (the n-th pass, 1 by default) into a hook that kills this process by SIGKILL
 * or throws there. The composition root reads the variable; without a text the hook does nothing.
 * @throws RangeError for any other text.
 */
export function failpointFrom(text: string | undefined, kill: () => void = () => process.kill(process.pid, "SIGKILL")): FailpointHook {
  if (!text) return () => undefined;
  const match = /^([a-z_]+):(kill|throw)(?:@([1-9]\d{0,6}))?$/.exec(text);
  const name = failpoints.find((known) => known === match?.[1]);
  if (!match || name === undefined)
    throw new RangeError(`a failpoint reads name:kill@n or name:throw@n, with name one of ${failpoints.join(", ")}`);
  let left = Number(match[3] ?? "1");
  return (passed) => {
    if (passed !== name || --left !== 0) return;
    if (match[2] === "throw") throw new Error(`the failpoint ${name} throws`);
    kill();
  };
}
