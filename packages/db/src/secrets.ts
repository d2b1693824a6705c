import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import type pg from "pg";

/**
 * Provider secrets at rest: AES-256-GCM with a key derived from SLUICE_SECRET (HKDF-SHA-256, RFC 5869). A record is
 * `v1:<kid>:<nonce>:<tag>:<ciphertext>` in base64url, bound to its place by additional data, so that a record copied
 * to another row or column cannot be decrypted.
 */
export interface SecretPlace {
  table: string;
  column: string;
  rowId: string;
}

/** The place that binds an additional credential's secret to its provider and label. */
export function credentialPlace(providerId: string, label: string): string {
  return `${providerId}/credential/${label}`;
}

/** The place that binds a proxy URL to its provider. */
export function proxyPlace(providerId: string): string {
  return `${providerId}/proxy`;
}

const version = "v1";
const installationFact = "secret_fingerprint";

/** Encrypts for this place; two records of the same secret always differ. */
export function sealSecret(secret: string, plaintext: string, place: SecretPlace): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", derive(secret, "seal"), nonce);
  cipher.setAAD(additionalData(place));
  const ciphertext = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  const parts = [nonce, cipher.getAuthTag(), ciphertext].map((part) => part.toString("base64url"));
  return [version, keyId(secret), ...parts].join(":");
}

/** Decrypts. @throws when the record was changed, belongs to another place or was encrypted with another SLUICE_SECRET. */
export function openSecret(secret: string, record: string, place: SecretPlace): string {
  const [recordVersion, kid, ...encoded] = record.split(":");
  const [nonce, tag, ciphertext] = encoded.map(decodeExactly);
  if (recordVersion !== version || encoded.length !== 3 || !nonce || !tag || !ciphertext || nonce.length !== 12 || tag.length !== 16) {
    throw new Error(`The stored secret in ${describe(place)} is damaged: not a ${version} record.`);
  }
  if (kid !== keyId(secret)) {
    throw new Error(`The stored secret in ${describe(place)} was encrypted with another SLUICE_SECRET.`);
  }
  try {
    const decipher = createDecipheriv("aes-256-gcm", derive(secret, "seal"), nonce, { authTagLength: 16 });
    decipher.setAAD(additionalData(place));
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString("utf8");
  } catch {
    // The cause adds nothing, and must not carry parts of the record into a log.
    throw new Error(`The stored secret in ${describe(place)} is damaged or was moved there from elsewhere.`);
  }
}

/** Identifies a SLUICE_SECRET without revealing it: 32 hex characters. */
export function secretFingerprint(secret: string): string {
  return derive(secret, "fingerprint").toString("hex").slice(0, 32);
}

/** At boot: stores the fingerprint the first time. @throws when the database belongs to another SLUICE_SECRET. */
export async function checkSecretFingerprint(pool: pg.Pool, secret: string): Promise<void> {
  const fingerprint = secretFingerprint(secret);
  await pool.query(`INSERT INTO installation (name, value, updated_at) VALUES ($1, $2, now()) ON CONFLICT (name) DO NOTHING`, [
    installationFact,
    fingerprint,
  ]);
  const { rows } = await pool.query<{ value: string }>("SELECT value FROM installation WHERE name = $1", [installationFact]);
  const stored = rows[0]?.value ?? "";
  if (stored.length === fingerprint.length && timingSafeEqual(Buffer.from(stored), Buffer.from(fingerprint))) return;
  throw new Error(
    "SLUICE_SECRET is not the one this database was set up with, so the providers' secrets cannot be read. " +
      "Start with the old secret (by default it is in the data directory), or with a new database.",
  );
}

/** SHA-256 as lower-case hex: how keys and login tokens (≥ 160 random bits each) are stored. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

function derive(secret: string, purpose: "seal" | "fingerprint"): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "sluice", `${version} ${purpose}`, 32));
}

function keyId(secret: string): string {
  return secretFingerprint(secret).slice(0, 8);
}

function additionalData(place: SecretPlace): Buffer {
  const parts = [place.table, place.column, place.rowId];
  if (parts.some((part) => part === "" || part.includes("|"))) throw new Error("A secret's place needs a table, a column and a row id.");
  return Buffer.from(parts.join("|"), "utf8");
}

/** Null unless the text is the canonical encoding of its bytes: a changed last character must not go unnoticed. */
function decodeExactly(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}

function describe(place: SecretPlace): string {
  return `${place.table}.${place.column} of ${place.rowId}`;
}
