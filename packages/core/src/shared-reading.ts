/**
 * Runs one `read` at a time. All calls made during a run share the next one, so the result is never older than the call, however many
 * callers share it.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | null = null;
  let next: Promise<T> | null = null;

  function ask(): Promise<T> {
    if (reading) {
      next ??= reading.then(noop, noop).then(() => {
        next = null;
        return ask();
      });
      return next;
    }
    reading = read().finally(() => {
      reading = null;
    });
    return reading;
  }
  return ask;
}

function noop(): void {}
