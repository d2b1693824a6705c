/**
 * The form of a client's key: `sk-sluice-`, 160 random bits in base62 (27 characters) and a 6-character checksum. The checksum
 * rejects typing errors and truncated copies without a lookup and lets scanners recognise leaked keys. Keys from a
 * configuration file may have any form.
 */
export const apiKeyPrefix = "sk-sluice-";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomBytes = 20;
const bodyLength = 27;
const checksumLength = 6;

/** A new secret key. It is shown only once, when it is created: storage keeps its SHA-256. */
export function makeApiKey(): string {
  let value = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(randomBytes))) value = (value << 8n) | BigInt(byte);
  const unchecked = apiKeyPrefix + base62(value, bodyLength);
  return unchecked + base62(BigInt(crc32(unchecked)), checksumLength);
}

/** Whether this is a key of our form with a correct checksum. False for keys of other forms, which may still be valid. */
export function hasValidChecksum(key: string): boolean {
  if (!key.startsWith(apiKeyPrefix) || key.length !== apiKeyPrefix.length + bodyLength + checksumLength) return false;
  const unchecked = key.slice(0, -checksumLength);
  return key.slice(-checksumLength) === base62(BigInt(crc32(unchecked)), checksumLength);
}

/** The part of a key that may be shown later: `sk-sluice-Ab3d…9xYz`. Less of it for short keys of other forms. */
export function apiKeyPreview(key: string): string {
  if (key.startsWith(apiKeyPrefix) && key.length >= 30) return `${key.slice(0, apiKeyPrefix.length + 4)}…${key.slice(-4)}`;
  if (key.length >= 24) return `${key.slice(0, 4)}…${key.slice(-4)}`;
  return `${key.slice(0, Math.min(2, Math.floor(key.length / 4)))}…`;
}

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text;
}

/** CRC-32 as in zip and PNG (ISO 3309), over the UTF-8 bytes. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
