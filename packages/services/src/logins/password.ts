import { hash, verify } from "@node-rs/argon2";
import { SluiceError } from "@sluice/core/errors";

/** OWASP's recommended parameters for argon2id: 19 MiB, two passes, one lane. argon2id is the package's default. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashing runs on libuv's four threads, which the ledger's fdatasync needs too: use at most half of them. */
const MOST_AT_ONCE = 2;
const MOST_WAITING = 100;

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MOST_AT_ONCE) {
    if (waiting.length >= MOST_WAITING) throw new SluiceError("overloaded");
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return await work();
  } finally {
    // Hands the slot to the next in the queue, so that a newcomer cannot take it in between.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

/** The password's argon2id hash in PHC format. @throws SluiceError `overloaded`. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password.normalize("NFKC"), cost));
}

let decoy: Promise<string> | undefined;

/**
 * Whether the password matches. For an unknown user (null) the same work is done against a decoy, so that timing does not reveal who has
 * an account.
 * @throws SluiceError `overloaded` when too many calls are waiting.
 */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  decoy ??= hash(crypto.randomUUID(), cost);
  const against = passwordHash ?? (await decoy);
  const fits = await inTurn(() => verify(against, password.normalize("NFKC")).catch(() => false));
  return fits && passwordHash !== null;
}
