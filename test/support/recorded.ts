// What a fixture of test/fixtures consists of beside its SQL: requests that were answered once and must be answered the same for ever, and
// what the customers held at the end. It reads and sends; it judges nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, type Json } from './app.js';

export const FIXTURES_DIR = fileURLToPath(new URL('../fixtures', import.meta.url));

/** A request whose answer is stored, and the answer that it got. */
export interface RecordedRequest {
  method: 'POST';
  path: string;
  body: Json;
  /** Of the header; null where the body has it, or where the request is known by what it is about. */
  key: string | null;
  status: number;
  /** Exactly as it was sent. */
  answer: string;
}

/** What a customer had at the end, by product. */
export interface RecordedWallet {
  customer_id: string;
  balances: Record<string, number>;
  held: Record<string, number>;
}

export interface Recorded {
  /** Timestamp of the newest migration that the SQL was made with. */
  version: string;
  /** The instant at which the story ended. */
  clock: string;
  requests: RecordedRequest[];
  wallets: RecordedWallet[];
}

export interface Fixture extends Recorded {
  sql: string;
}

export interface Answer {
  status: number;
  text: string;
  isReplayed: boolean;
}

/** The committed fixtures, the oldest first. */
export function readFixtures(): Fixture[] {
  const versions = readdirSync(FIXTURES_DIR)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => basename(name, '.sql'));
  return versions.sort().map((version) => {
    const read = (extension: string) => readFileSync(join(FIXTURES_DIR, `${version}.${extension}`), 'utf8');
    return { ...(JSON.parse(read('json')) as Recorded), sql: read('sql') };
  });
}

/** The timestamp with which the name of a migration begins. */
export function versionOf(migration: string): string {
  return migration.split('_')[0] ?? migration;
}

/** Sends a request below the base path of a listening app, with the token of all scopes. */
export async function sendPlain(
  origin: string,
  { method, path, body, key }: { method: string; path: string; body?: Json | undefined; key?: string | null },
): Promise<Answer> {
  const answer = await fetch(`${origin}${BASE_PATH}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${API_TOKEN}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key != null && { 'idempotency-key': key }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    text: await answer.text(),
    isReplayed: answer.headers.get('idempotent-replayed') === 'true',
  };
}

/** What each of these customers has, as it is recorded: units that become valid later count in the balances. */
export async function readWallets(origin: string, customerIds: readonly string[]): Promise<RecordedWallet[]> {
  const wallets: RecordedWallet[] = [];
  for (const customerId of customerIds) {
    const { status, text } = await sendPlain(origin, { method: 'GET', path: `/wallet?customer_id=${customerId}` });
    if (status !== 200) throw new Error(`the wallet of ${customerId}: ${status} ${text}`);
    type Shown = Pick<RecordedWallet, 'balances' | 'held'> & { upcoming: RecordedWallet['balances'] };
    const { balances, held, upcoming } = JSON.parse(text) as Shown;
    for (const [productKey, units] of Object.entries(upcoming))
      balances[productKey] = (balances[productKey] ?? 0) + units;
    wallets.push({ customer_id: customerId, balances, held });
  }
  return wallets;
}
