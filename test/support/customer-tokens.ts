// Tokens of customers for tests: issued over the API, and forged.
import { SignJWT } from 'jose';
import { expect } from 'vitest';
import { ABILITIES, type Ability } from '../../src/lib/scopes.js';
import { deriveKey, readSecretKeys } from '../../src/lib/secret-keys.js';
import { type Json, TEST_SECRET_KEY, type TestApp } from './app.js';
import { customerIdOf } from './parallel.js';

/** Issues a token with all abilities, or these, to whom an external id names. */
export async function issueToken(
  app: TestApp,
  externalId: string,
  {
    abilities = ABILITIES,
    headers = {},
    ...more
  }: { abilities?: readonly Ability[]; headers?: Record<string, string> } & Json = {},
): Promise<string> {
  const id = await customerIdOf(app, externalId);
  const answer = await app.post(`/customers/${id}/tokens`, { abilities, ...more }, headers as Record<string, string>);
  expect(answer.status, answer.text).toBe(201);
  return answer.body.token;
}

/** What a forger may choose. */
export interface Forgery {
  header?: Json;
  payload?: Json;
  secret?: string;
}

/** A token that is right in everything but what is given. */
export async function forge(
  app: TestApp,
  customerId: string,
  { header, payload, secret }: Forgery = {},
): Promise<string> {
  const nowS = Math.floor(app.clock.now().getTime() / 1_000);
  const [own] = readSecretKeys(TEST_SECRET_KEY);
  const claims = {
    iss: 'bursar',
    aud: 'bursar/customer',
    sub: customerId,
    jti: 'forged',
    iat: nowS,
    exp: nowS + 900,
    abilities: ABILITIES,
    key: 'bootstrap',
    ...payload,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'bursar-customer+jwt', kid: own?.id ?? '', ...header })
    .sign(deriveKey(secret ?? TEST_SECRET_KEY, 'customer tokens'));
}
