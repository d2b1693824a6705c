import { SluiceError } from "../errors.ts";
import type { ListedModel } from "./dialect.ts";

/** Which models to list: at most `size` of those whose ids are between the two. What is null does not limit. */
interface PageWanted {
  size: number | null;
  after: string | null;
  before?: string | null;
}

/**
 * One page of a list that is sorted by id, and whether there are more in the direction in which it is read. A cursor is an id, of a model
 * that need not exist any more.
 */
export function pageOf(models: readonly ListedModel[], { size, after, before = null }: PageWanted) {
  const found = models.filter(({ id }) => (after === null || id > after) && (before === null || id < before));
  if (size === null || found.length <= size) return { page: found, hasMore: false };
  return { page: before === null ? found.slice(0, size) : found.slice(-size), hasMore: true };
}

/** The size of a page; null when the client leaves it to the server, which then sends everything. @throws SluiceError invalid_request. */
export function pageSize(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null || text === "" || text === "0") return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SluiceError("invalid_request", { message: `'${name}' must be a whole number.`, field: name });
}
