import type { Operation } from "./operation.ts";
import { creditOperations } from "./operations/credits.ts";
import { figureOperations } from "./operations/figures.ts";
import { keyOperations } from "./operations/keys.ts";
import { logOperations } from "./operations/logs.ts";
import { providerOperations } from "./operations/providers.ts";
import { statisticsOperations } from "./operations/statistics.ts";
import { userOperations } from "./operations/users.ts";

/**
 * The REST API: the verbs and inputs of the tRPC procedures under paths, for programs. The routes (rest-routes), the document (openapi)
 * and the tests' sweep are generated from this list.
 */
export const operations: readonly Operation[] = [
  ...figureOperations,
  ...statisticsOperations,
  ...logOperations,
  ...keyOperations,
  ...userOperations,
  ...creditOperations,
  ...providerOperations,
];
