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

/** Registers the single listener that is told of each change made by this tab: `providers.update` → "providers". */
export function whenChanged(listener: (noun: string) => void): void {
  changed = listener;
}

/** A successful change marks its noun for reloading, so that no page has to. */
const noticeChanges: TRPCLink<AppRouter> =
  () =>
  ({ next, op }) =>
    op.type === "mutation" ? next(op).pipe(tap({ complete: () => changed(op.path.split(".")[0] ?? "") })) : next(op);

const transformer = withTables(superjson);

/** The one tRPC client. Calls are batched; the subscription has its own link, and live/stream.ts reopens it. */
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
 * Answers stay fresh for five minutes, or until a push or an own change makes them stale (live/refetch). Nothing is refetched on a timer
 * or on focus. Failures are not cached. Requests are sent even when the browser believes it is offline: a gateway in the local network
 * answers, and otherwise the failure shows at once. A paused change would be sent later, when nobody expects it any more.
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
