/** A signed-in browser as Postgres knew it a moment ago. */
export interface KnownLogin {
  loginId: string;
  userId: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  /** It holds for the key of this secret alone; null = it is the user's. */
  keySha256: string | null;
  expiresAtMs: number;
  lastSeenAtMs: number;
  /** When Postgres was asked. */
  readAtMs: number;
}

/** Fresh for this long: a page that makes five calls asks Postgres once. */
const FRESH_MS = 2_000;
/** While Postgres cannot be asked, an answer this old still counts: the console stays usable through an outage. */
const STALE_MS = 10 * 60_000;
const MOST = 10_000;

/** Logins recently seen by this process, forgotten at once when a user's rights change or somebody signs out. */
export class LoginCache {
  readonly #known = new Map<string, KnownLogin>();
  readonly #reading = new Map<string, Promise<KnownLogin | null>>();

  /** Answered without Postgres? null = ask it. */
  fresh(loginId: string, nowMs: number): KnownLogin | null {
    const known = this.#known.get(loginId);
    return known && nowMs - known.readAtMs < FRESH_MS ? known : null;
  }

  /** For when Postgres does not answer. */
  stale(loginId: string, nowMs: number): KnownLogin | null {
    const known = this.#known.get(loginId);
    return known && nowMs - known.readAtMs < STALE_MS ? known : null;
  }

  /** Calls that come together ask Postgres together; who comes after something was forgotten asks anew. */
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
