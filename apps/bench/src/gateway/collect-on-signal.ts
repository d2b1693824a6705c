// Preloaded into a subject whose memory is measured (with --expose-gc): on SIGUSR2 it runs a last-resort collection, which returns free
// memory; twice, because the first pass only queues objects with finalisers.
const collect = (): void => void globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
process.on("SIGUSR2", () => {
  collect();
  setImmediate(collect);
});
