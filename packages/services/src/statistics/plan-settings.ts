/**
 * Rows of a time range lie together, but the planner does not see that behind a first column with a single value, and would rather read a
 * whole year than the month in it. The result is small: JIT and parallel workers would take longer to start than the read itself.
 */
export const planSettings = { enable_seqscan: "off", jit: "off", max_parallel_workers_per_gather: "0" } as const;
