import { listen } from "./hub.ts";
import { createStore } from "./store.ts";

const MOST = 1_000;

/** Models named by requests that were pushed to this browser. */
export const seenModels = createStore<readonly string[]>([]);

const known = new Set<string>();

listen({
  events(events) {
    const before = known.size;
    for (const event of events)
      if ("rev" in event && "model" in event.row && event.row.model && known.size < MOST) known.add(event.row.model);
    if (known.size > before) seenModels.set([...known]);
  },
});
