/**
 * Runs `read` once at a time. All who ask during one wait for the next: what they are given was read after they asked, and
 * however many they are, it is read for all of them together.
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
