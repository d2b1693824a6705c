import type { AppRouter } from "@sluice/api/router-type";
import { withTables } from "@sluice/core/packed-tables";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, type TRPCLink } from "@trpc/client";
import type { inferRouterOutputs } from "@trpc/server";
import { tap } from "@trpc/server/observable";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import superjson from "superjson";
import { readFailure } from "./failure.ts";

export type Outputs = inferRouterOutputs<AppRouter>;

let changed: (noun: string) => void = () => {};

/** Who hears of every change that this tab made: `providers.update` → "providers". One listener. */
export function whenChanged(listener: (noun: string) => void): void {
  changed = listener;
}

/** A change that succeeded names the noun to be read again, so that no page has to. */
const noticeChanges: TRPCLink<AppRouter> =
  () =>
  ({ next, op }) =>
    op.type === "mutation" ? next(op).pipe(tap({ complete: () => changed(op.path.split(".")[0] ?? "") })) : next(op);

const transformer = withTables(superjson);

/** The one tRPC client. Calls are batched; the subscription has its own link, and live/stream.ts opens it again. */
export const client = createTRPCClient<AppRouter>({
  links: [
    noticeChanges,
    splitLink({
      condition: (op) => op.type === "subscription",
      true: httpSubscriptionLink({ url: "/trpc", transformer }),
      false: httpBatchLink({ url: "/trpc", transformer, maxURLLength: 6_000 }),
    }),
  ],
});

/**
 * What was read is good for five minutes, and until a push or a change of one's own says otherwise (live/refetch).
 * Nothing is refetched on a timer or on focus. Failures are not kept: the next reader asks again. What the browser takes for offline is
 * asked for all the same: a gateway in the house answers, and else one is told at once. A change would wait, unseen, and be made when
 * nobody wants it any more.
 */
const KEPT_MS = 5 * 60_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: KEPT_MS,
      gcTime: 2 * KEPT_MS,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: shouldRetry,
      retryDelay: 400,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

/** Query and mutation options per procedure. */
export const api = createTRPCOptionsProxy<AppRouter>({ client, queryClient });

function shouldRetry(failures: number, error: unknown): boolean {
  return failures < 2 && readFailure(error).retryable;
}
