// The text of an API key: a prefix by which scanners know it, its id, 256 random bits, and a checksum that tells a mistyped one from a wrong one. All of it
// in letters and digits, so that a double click takes it whole. Only its hash is ever stored.
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'bur_live_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = BigInt(DIGITS.length);
const SECRET_BYTES = 32;
const ID_BYTES = 16;
/** As many digits as the largest value of so many bytes has. */
const ID_DIGITS = 22;
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;
const KEY = new RegExp(`^${PREFIX}[0-9A-Za-z]{${ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS}}$`);
const UUID_GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** A new key of this id, a UUID. */
export function makeApiKey(id: string): string {
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  const text = PREFIX + toDigits(id.replaceAll('-', ''), ID_DIGITS) + toDigits(secret, SECRET_DIGITS);
  return text + checksumOf(text);
}

/** What is stored of a key: SHA-256, which is enough for 256 random bits. */
export function hashOfToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Whether a token wants to be an API key. */
export function isApiKey(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** The id in a key, as a UUID; undefined when the key is mistyped or cut off. */
export function idOfApiKey(token: string): string | undefined {
  if (!KEY.test(token)) return undefined;
  const text = token.slice(0, -CHECKSUM_DIGITS);
  if (checksumOf(text) !== token.slice(-CHECKSUM_DIGITS)) return undefined;
  let value = 0n;
  for (const digit of text.slice(PREFIX.length, PREFIX.length + ID_DIGITS))
    value = value * BASE + BigInt(DIGITS.indexOf(digit));
  const [, ...groups] = UUID_GROUPS.exec(value.toString(16).padStart(ID_BYTES * 2, '0')) ?? [];
  return groups.length > 0 ? groups.join('-') : undefined;
}

function checksumOf(text: string): string {
  return toDigits(crc32(text).toString(16), CHECKSUM_DIGITS);
}

function toDigits(hex: string, length: number): string {
  let text = '';
  for (let value = BigInt(`0x${hex}`); value > 0n; value /= BASE) text = (DIGITS[Number(value % BASE)] ?? '') + text;
  return text.padStart(length, '0');
}
