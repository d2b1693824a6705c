import { hash, verify } from "@node-rs/argon2";
import { SluiceError } from "@sluice/core/errors";

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. The package defaults to argon2id. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashing runs on libuv's four threads, which the ledger's fdatasync needs too: never take more than half of them. */
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
    // The place goes straight to the next one, so that a newcomer cannot take it in between.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

/** The password as it is stored: argon2id in PHC form. @throws SluiceError `overloaded`. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password.normalize("NFKC"), cost));
}

let decoy: Promise<string> | undefined;

/**
 * Whether the password fits. For an unknown user (null) the same work is done against a decoy, so that time does not
 * tell who has an account.
 * @throws SluiceError `overloaded` when too many wait.
 */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  decoy ??= hash(crypto.randomUUID(), cost);
  const against = passwordHash ?? (await decoy);
  const fits = await inTurn(() => verify(against, password.normalize("NFKC")).catch(() => false));
  return fits && passwordHash !== null;
}
