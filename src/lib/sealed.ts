// Secrets that are kept and needed again: encrypted by AES-256-GCM, by a key that is derived from one of the service's, and bound to whose they are.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey, type SecretKey } from './secret-keys.js';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What a secret is for, and whose it is: sealed for another purpose or owner it does not open. */
export interface SealedFor {
  purpose: string;
  owner: string;
}

/** Seals a text by the first of the keys: `<id of the key>.<base64 of initialisation vector, text and tag>`. Precondition: there is a key. */
export function seal(keys: readonly SecretKey[], { purpose, owner }: SealedFor, text: string): string {
  const [key] = keys;
  if (!key) throw new Error('there is no secret key');
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, deriveKey(key.secret, purpose), iv).setAAD(Buffer.from(owner));
  const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}.${sealed.toString('base64')}`;
}

/** Opens what one of the keys sealed. Throws: an Error without the text, when none did, or it was changed. */
export function unseal(keys: readonly SecretKey[], { purpose, owner }: SealedFor, sealed: string): string {
  const [id, body = ''] = sealed.split('.');
  const key = keys.find((each) => each.id === id);
  if (!key) throw new Error(`a secret is sealed by the key ${id}, which BURSAR_SECRET_KEY does not have`);
  const bytes = Buffer.from(body, 'base64');
  const tag = bytes.subarray(-TAG_BYTES);
  const opening = createDecipheriv(ALGORITHM, deriveKey(key.secret, purpose), bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  opening.setAAD(Buffer.from(owner)).setAuthTag(tag);
  return Buffer.concat([opening.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), opening.final()]).toString('utf8');
}
