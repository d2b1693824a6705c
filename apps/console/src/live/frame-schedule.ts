/** Runs a flush in an animation frame, at most ten times a second. A hidden tab has no frames, so it uses a timer. */
export function frameSchedule(minGapMs = 100): (flush: () => void) => void {
  let last = 0;
  return (flush) => {
    const wait = Math.max(0, last + minGapMs - performance.now());
    setTimeout(() => {
      const run = (): void => {
        last = performance.now();
        flush();
      };
      if (document.hidden) run();
      else requestAnimationFrame(run);
    }, wait);
  };
}
