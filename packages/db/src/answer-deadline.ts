/**
 * Calls `onLate` when no answer has come within `ms`; returns a function that cancels it. After the event loop was blocked, timers run
 * before received data is read, so the callback is delayed until that data has been read: it was not the other side that was late.
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
