// Loaded before a subject whose memory is measured (with --expose-gc): on SIGUSR2 it collects its garbage as when memory is short, so that
// what is free is given back; twice, because the first pass only queues what has finalisers.
const collect = (): void => void globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
process.on("SIGUSR2", () => {
  collect();
  setImmediate(collect);
});
