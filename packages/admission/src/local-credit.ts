import type { CreditRefusal, LoadCredit } from "./credit.ts";

interface Book {
  /** Committed; null until it was read. */
  availableNanoUsd: number | null;
  open: Map<string, number>;
  openNanoUsd: number;
  usedAtMs: number;
  /** Rows committed during a read, with their amounts: the read may or may not have seen them. */
  lately: Map<string, number> | null;
  loading: Promise<number> | null;
  /** The read that follows `loading`, for callers that may have come too late for that one. */
  next: Promise<number> | null;
}

/**
 * The twin: this process's reservations next to the committed balances. In a single process it is the whole truth. Amounts
 * are nano-USD, exact below 2^53 ($9,007,199).
 */
export function createLocalCredit(load: LoadCredit, nowMs: () => number) {
  const books = new Map<string, Book>();
  const owners = new Map<string, string>();

  function bookOf(userId: string): Book {
    let book = books.get(userId);
    if (!book) {
      book = { availableNanoUsd: null, open: new Map(), openNanoUsd: 0, usedAtMs: 0, lately: null, loading: null, next: null };
      books.set(userId, book);
    }
    book.usedAtMs = nowMs();
    return book;
  }

  function put(id: string, userId: string, amount: number): void {
    const book = bookOf(userId);
    book.openNanoUsd += amount - (book.open.get(id) ?? 0);
    book.open.set(id, amount);
    owners.set(id, userId);
  }

  /** Removes a reservation and returns it; null when there was none. */
  function remove(id: string): { userId: string; book: Book; amount: number } | null {
    const userId = owners.get(id);
    const book = userId === undefined ? undefined : books.get(userId);
    if (userId === undefined || !book) return null;
    const amount = book.open.get(id) ?? 0;
    owners.delete(id);
    book.open.delete(id);
    book.openNanoUsd -= amount;
    return { userId, book, amount };
  }

  /** Reads one user's balance. Returns by how much the known one was wrong. */
  function read(userId: string): Promise<number> {
    const book = bookOf(userId);
    book.loading ??= (async () => {
      book.lately = new Map();
      try {
        const asked = [...book.open.keys()];
        const { availableNanoUsd, settled } = await load([userId], asked);
        const before = book.availableNanoUsd;
        let believed = before ?? 0;
        let available = availableNanoUsd.get(userId) ?? 0;
        // Committed after the read, but reported before its result.
        for (const [id, amount] of book.lately) if (!settled.has(id)) available -= amount;
        // Included in the read, but not reported yet.
        for (const id of settled) if (book.open.has(id)) believed -= remove(id)?.amount ?? 0;
        book.availableNanoUsd = available;
        return before === null ? 0 : Math.abs(available - believed);
      } finally {
        book.lately = null;
        book.loading = null;
      }
    })();
    return book.loading;
  }

  /** The same with a read that begins now: one in progress may not see what was committed a moment ago. */
  function readAnew(userId: string): Promise<number> {
    const book = bookOf(userId);
    if (!book.loading) return read(userId);
    book.next ??= book.loading
      .catch(() => 0)
      .then(() => {
        book.next = null;
        return read(userId);
      });
    return book.next;
  }

  return {
    put,
    isKnown: (userId: string): boolean => books.get(userId)?.availableNanoUsd != null,
    /** Reads the balance unless it is known. @throws what the read throws. */
    async known(userId: string): Promise<void> {
      if (bookOf(userId).availableNanoUsd === null) await read(userId);
    },
    /** Takes the amount, or returns what is available. The user's balance must be known. */
    take(id: string, userId: string, amount: number): CreditRefusal | null {
      const book = bookOf(userId);
      if (book.open.has(id)) return null;
      const left = (book.availableNanoUsd ?? 0) - book.openNanoUsd;
      if (left < amount) return { availableNanoUsd: left, neededNanoUsd: amount };
      put(id, userId, amount);
      return null;
    },
    isOpen: (id: string): boolean => owners.has(id),
    /** Changes the amount and returns its user; null when it is not open. */
    change(id: string, amount: number): string | null {
      const userId = owners.get(id) ?? null;
      if (userId !== null) put(id, userId, amount);
      return userId;
    },
    drop: (id: string): string | null => remove(id)?.userId ?? null,
    /** Those that were open here, by user. */
    settle(ids: readonly string[]): Map<string, string[]> {
      const found = new Map<string, string[]>();
      for (const id of ids) {
        const removed = remove(id);
        if (!removed) continue;
        const { userId, book, amount } = removed;
        if (book.availableNanoUsd !== null) book.availableNanoUsd -= amount;
        book.lately?.set(id, amount);
        const list = found.get(userId);
        if (list) list.push(id);
        else found.set(userId, [id]);
      }
      return found;
    },
    async load(userIds: readonly string[]): Promise<number> {
      let drift = 0;
      for (const userId of userIds) if (books.has(userId)) drift += await readAnew(userId);
      return drift;
    },
    users: (): string[] => [...books.keys()],
    openOf: (userId: string): [id: string, amount: number][] => [...(books.get(userId)?.open ?? [])],
    open: (): number => [...books.values()].reduce((sum, { openNanoUsd }) => sum + openNanoUsd, 0),
    sweep(idleMs: number): void {
      for (const [userId, { open, usedAtMs, loading }] of books)
        if (open.size === 0 && !loading && nowMs() - usedAtMs > idleMs) books.delete(userId);
    },
  };
}
