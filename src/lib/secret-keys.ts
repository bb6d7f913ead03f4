// Keys of the service and what is derived of them: each purpose has a key of its own, so that none tells anything about another.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { fingerprintOf } from './keyed-hash.js';

const DERIVED_BYTES = 32;

/** A secret; its id may be told. */
export interface SecretKey {
  id: string;
  secret: string;
}

/** Reads the configured keys: comma-separated. The first signs and encrypts, all of them verify and decrypt. */
export function readSecretKeys(text: string): SecretKey[] {
  const secrets = text.split(',').map((secret) => secret.trim());
  return secrets
    .filter((secret) => secret !== '')
    .map((secret) => ({ id: fingerprintOf(secret, 'secret-key-id'), secret }));
}

/** The key of 256 bits for a purpose (HKDF with SHA-256). */
export function deriveKey(secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'bursar', purpose, DERIVED_BYTES)));
}
