// Hashes that are stored instead of what they stand for.
import { createHash, createHmac } from 'node:crypto';

/** HMAC-SHA-256 in hex. */
export function keyedHash(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** SHA-256 in hex, without a key: whoever has it can try out what it stands for. Only to compare with what others stored so. */
export function plainHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A short public name of a secret of a kind, which tells nothing about it: the first 12 hex digits of a SHA-256. */
export function fingerprintOf(secret: string, kind: 'pepper-id' | 'secret-key-id'): string {
  return createHash('sha256').update(`${kind}\0${secret}`).digest('hex').slice(0, 12);
}
