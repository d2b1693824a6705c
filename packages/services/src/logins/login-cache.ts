/** A login as Postgres last returned it. */
export interface KnownLogin {
  loginId: string;
  userId: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  /** Hash of the key's secret for a login by key; null for a user's. */
  keySha256: string | null;
  expiresAtMs: number;
  lastSeenAtMs: number;
  /** When Postgres returned it. */
  readAtMs: number;
}

/** Lifetime of a fresh entry: a page that makes five calls causes one query. */
const FRESH_MS = 2_000;
/** Lifetime of an entry while Postgres cannot be reached, which keeps the console usable through an outage. */
const STALE_MS = 10 * 60_000;
const MOST = 10_000;

/** Logins recently seen by this process. Entries are removed at once when a user's rights change or somebody signs out. */
export class LoginCache {
  readonly #known = new Map<string, KnownLogin>();
  readonly #reading = new Map<string, Promise<KnownLogin | null>>();

  /** A fresh entry, or null when Postgres must be asked. */
  fresh(loginId: string, nowMs: number): KnownLogin | null {
    const known = this.#known.get(loginId);
    return known && nowMs - known.readAtMs < FRESH_MS ? known : null;
  }

  /** An entry for use while Postgres does not answer. */
  stale(loginId: string, nowMs: number): KnownLogin | null {
    const known = this.#known.get(loginId);
    return known && nowMs - known.readAtMs < STALE_MS ? known : null;
  }

  /** Concurrent calls share one query. A call that follows an invalidation starts a new one. */
  readOnce(loginId: string, read: () => Promise<KnownLogin | null>): Promise<KnownLogin | null> {
    const begun = this.#reading.get(loginId);
    if (begun) return begun;
    const reading = read().finally(() => {
      if (this.#reading.get(loginId) === reading) this.#reading.delete(loginId);
    });
    this.#reading.set(loginId, reading);
    return reading;
  }

  keep(login: KnownLogin): void {
    this.#known.delete(login.loginId);
    this.#known.set(login.loginId, login);
    const oldest = this.#known.size > MOST ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  forget(loginId: string): void {
    this.#known.delete(loginId);
    this.#reading.delete(loginId);
  }

  forgetUser(userId: string): void {
    this.#reading.clear();
    for (const [id, login] of this.#known) if (login.userId === userId) this.#known.delete(id);
  }

  clear(): void {
    this.#known.clear();
    this.#reading.clear();
  }
}
