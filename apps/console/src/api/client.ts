import type { AppRouter } from "@sluice/api/router-type";
import { QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import type { inferRouterOutputs } from "@trpc/server";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import superjson from "superjson";
import { readFailure } from "./failure.ts";

export type Outputs = inferRouterOutputs<AppRouter>;

/** The one tRPC client. Calls are batched; the subscription has its own link, and live/stream.ts opens it again. */
export const client = createTRPCClient<AppRouter>({
  links: [
    splitLink({
      condition: (op) => op.type === "subscription",
      true: httpSubscriptionLink({ url: "/trpc", transformer: superjson }),
      false: httpBatchLink({ url: "/trpc", transformer: superjson, maxURLLength: 6_000 }),
    }),
  ],
});

/** Nothing is refetched on a timer or on focus: what changes is pushed, and a push names the query to read again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: shouldRetry,
      retryDelay: 400,
    },
  },
});

/** Query and mutation options per procedure. */
export const api = createTRPCOptionsProxy<AppRouter>({ client, queryClient });

function shouldRetry(failures: number, error: unknown): boolean {
  return failures < 2 && readFailure(error).retryable;
}
