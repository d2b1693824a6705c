// Loaded before a subject whose memory is measured (with --expose-gc): on SIGUSR2 it collects its garbage, twice, because the first
// pass only queues what has finalisers.
process.on("SIGUSR2", () => {
  globalThis.gc?.();
  setImmediate(() => globalThis.gc?.());
});
