// API keys for tests: made over the API, and sent in place of the bootstrap token.
import { expect } from 'vitest';
import type { Json, TestApp } from './app.js';

/** A key as it is answered when it is made. */
export interface MadeKey {
  id: string;
  owner_id: string;
  token: string;
  scopes: string[];
  expires_at: string | null;
  last_used_at: string | null;
}

/** Makes a key; `more` overrides. */
export async function makeKey(app: TestApp, scopes: readonly string[], more: Json = {}): Promise<MadeKey> {
  const answer = await app.post('/api-keys', { name: 'test', scopes, ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

/** The header that carries a token. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
