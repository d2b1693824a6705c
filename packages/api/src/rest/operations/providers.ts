import { listPrices } from "@sluice/services/prices/list-prices";
import { bootstrapProviders } from "@sluice/services/providers/bootstrap-providers";
import { GetProviderInput, getProvider } from "@sluice/services/providers/get-provider";
import { priceList, providerList, providerView } from "../answers/providers.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Providers";

export const providerOperations: readonly Operation[] = [
  operation({
    ...{ id: "listProviders", at: "GET /providers", access: "admin", tag },
    summary: "List providers with their health",
    ...{ input: null, answer: providerList, verb: bootstrapProviders },
  }),
  operation({
    ...{ id: "getProvider", at: "GET /providers/{id}", access: "admin", tag },
    summary: "Get a provider, without its secrets",
    ...{ input: GetProviderInput, answer: providerView, verb: getProvider },
  }),
  operation({
    ...{ id: "listPrices", at: "GET /prices", access: "admin", tag },
    summary: "List the current price of each model",
    ...{ input: null, answer: priceList, verb: listPrices },
  }),
];
