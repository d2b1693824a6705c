/**
 * Calls `onLate` when an answer has not come within `ms`; gives what stops that. A process that was busy for as long reads the answer only
 * after its timers: what has arrived by then is read first, since it was not the other side that was late.
 */
export function startAnswerDeadline(ms: number, onLate: () => void): () => void {
  let last: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    last = setImmediate(onLate);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}
