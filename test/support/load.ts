// Load that remembers: many clients take, hold, commit and give back units under keys of their own, whatever happens to the server meanwhile,
// and afterwards the ledger is compared with what each of them was told.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { ask } from './parallel.js';
import { waitFor } from './wait.js';

const CLIENTS = 16;
/** A client whose request could not be answered waits so long before its next one. */
const PAUSE_MS = 200;

/** What became of a request, as its client sees it; undefined when the connection was lost. */
export type Post = (
  path: string,
  body: object,
  key: string,
) => Promise<{ status: number; body: Record<string, unknown> } | undefined>;

type What = 'consume' | 'reserve' | 'commit' | 'give back';

interface Request {
  what: What;
  path: string;
  body: object;
  key: string;
  /** Units that its entries move when it succeeds. */
  amount: number;
}

interface Sent extends Request {
  outcome: 'done' | 'refused' | 'unknown';
  operationId: string | undefined;
}

/** `unknown` counts 503s and lost connections; `committed` those of them that are in the ledger all the same. */
export interface LoadCounts {
  sent: number;
  done: number;
  refused: number;
  unknown: number;
  committed: number;
  inLedger: number;
  /** Of those in the ledger. */
  whats: Record<string, number>;
}

interface Load {
  /** Returns once so many more requests were answered with success. */
  untilDone(more: number): Promise<void>;
  /** Lets each client finish its request. */
  stop(): Promise<void>;
}

/**
 * Starts clients that, until they are stopped, each in turn consume and reserve 1 to 3 units of the product, commit what they reserved and, but
 * for the last of the people, give back one unit of what they consumed. `sent` fills with what they did.
 */
export function startLoad(post: Post, people: readonly string[], productKey: string): Load & { sent: Sent[] } {
  const sent: Sent[] = [];
  let isStopped = false;
  const doneSoFar = () => sent.filter(({ outcome }) => outcome === 'done').length;

  /** Sends a request and remembers it; the answer when it was a success. */
  async function attempt(request: Request): Promise<Record<string, unknown> | undefined> {
    if (isStopped) return undefined;
    const answer = await post(request.path, request.body, request.key);
    const outcome = outcomeOf(answer?.status);
    sent.push({ ...request, outcome, operationId: answer?.body.operation_id as string | undefined });
    if (outcome === 'unknown') await delay(PAUSE_MS);
    return outcome === 'done' ? answer?.body : undefined;
  }

  async function runClient(client: number): Promise<void> {
    for (let round = 0; !isStopped; round += 1) {
      const externalId = people[(client + round) % people.length] as string;
      const amount = 1 + (round % 3);
      const body = { external_id: externalId, product_key: productKey, amount };
      const key = (what: What) => `load-${client}-${round}-${what.replace(' ', '-')}`;
      const make = (what: What, path: string, more: Partial<Request> = {}): Request => ({
        what,
        path,
        body,
        amount,
        ...more,
        key: key(what),
      });
      const used = await attempt(make('consume', '/quota/consume'));
      const reserved = await attempt(make('reserve', '/reservations'));
      if (reserved) await attempt(make('commit', `/reservations/${reserved.id}/commit`, { body: {} }));
      // what comes back could be taken by who was refused before, and nobody would know whether he was refused rightly
      if (!used || externalId === people.at(-1)) continue;
      const back = { operation_id: used.operation_id, amount: 1 };
      await attempt(make('give back', '/quota/release', { body: back, amount: 1 }));
    }
  }

  const clients = Array.from({ length: CLIENTS }, (_, client) => runClient(client));
  // a client fails when it gets an answer that nobody should get
  let failure: unknown;
  const ended = Promise.all(clients).catch((error) => {
    failure = error;
  });
  return {
    sent,
    untilDone: async (more) => {
      const enough = doneSoFar() + more;
      await waitFor(
        () => `${enough} requests to be answered: ${doneSoFar()} are`,
        () => {
          if (failure !== undefined) throw failure;
          return doneSoFar() >= enough || undefined;
        },
      );
    },
    stop: async () => {
      isStopped = true;
      await ended;
      if (failure !== undefined) throw failure;
    },
  };
}

function outcomeOf(status: number | undefined): Sent['outcome'] {
  if (status === 200 || status === 201) return 'done';
  if (status === 402) return 'refused';
  if (status === undefined || status === 503) return 'unknown';
  throw new Error(`answered with ${status}`);
}

/**
 * Compares what clients were told with the ledger: every success is there once, with its operation id and amount, every refusal nowhere, and
 * nothing else. Then sends each request again: what succeeded gets its operation again, and nothing happens twice.
 */
export async function compareWithLedger(url: string, post: Post, sent: readonly Sent[]): Promise<LoadCounts> {
  const before = await readLedger(url);
  const of = (outcome: Sent['outcome']) => sent.filter((each) => each.outcome === outcome);
  const expected = of('done');
  const found = new Map(before.map((row) => [row.key, row]));
  expect(expected.filter((each) => !isSame(found.get(each.key), each))).toEqual([]);
  expect(of('refused').filter(({ key }) => found.has(key))).toEqual([]);
  const committed = of('unknown').filter(({ key }) => found.has(key));
  expect(committed.filter(({ key, what, amount }) => !isSame(found.get(key), { what, amount }))).toEqual([]);
  expect(before).toHaveLength(expected.length + committed.length);

  const faults: string[] = [];
  const repeat = async (each: Sent): Promise<void> => {
    const again = await post(each.path, each.body, each.key);
    const known = found.get(each.key);
    if (known && (outcomeOf(again?.status) !== 'done' || again?.body.operation_id !== known.id))
      faults.push(`${each.key} happened twice`);
    if (each.outcome === 'refused' && again?.status !== 402) faults.push(`${each.key} was refused, and is no more`);
  };
  for (let at = 0; at < sent.length; at += CLIENTS) await Promise.all(sent.slice(at, at + CLIENTS).map(repeat));
  expect(faults).toEqual([]);
  const after = await readLedger(url);
  expect(after.filter(({ key }) => found.has(key))).toEqual(before);
  const whats: Record<string, number> = {};
  for (const { what } of before) whats[what] = (whats[what] ?? 0) + 1;
  return {
    sent: sent.length,
    done: expected.length,
    refused: of('refused').length,
    unknown: of('unknown').length,
    committed: committed.length,
    inLedger: before.length,
    whats,
  };
}

interface LedgerRow {
  key: string;
  id: string;
  what: What;
  amount: number;
}

function isSame(
  row: LedgerRow | undefined,
  { operationId, what, amount }: Pick<Sent, 'what' | 'amount'> & { operationId?: string | undefined },
): boolean {
  return row !== undefined && row.id === (operationId ?? row.id) && row.what === what && row.amount === amount;
}

/** The operations under keys, with what their entries moved. */
async function readLedger(url: string): Promise<LedgerRow[]> {
  const rows = await ask(
    url,
    `SELECT r.key, o.id, sum(e.amount)::int AS amount,
            CASE o.name WHEN 'quota.consume' THEN 'consume' WHEN 'reservation.create' THEN 'reserve'
                        WHEN 'reservation.commit' THEN 'commit' WHEN 'quota.release' THEN 'give back' END AS what
     FROM idempotency_records r JOIN operations o ON o.customer_id = r.customer_id AND o.id = r.operation_id
     JOIN entries e ON e.customer_id = o.customer_id AND e.operation_id = o.id
     WHERE r.kind = 'client' AND r.key LIKE 'load-%' AND (o.name, e.kind) IN
       (('quota.consume', 'consume'), ('reservation.create', 'hold'), ('reservation.commit', 'commit'), ('quota.release', 'reverse'))
     GROUP BY o.customer_id, o.id, r.key, o.name ORDER BY r.key, o.id`,
  );
  return rows as unknown as LedgerRow[];
}

/** The counts as one line, for an annotation. */
export function describeCounts({ sent, done, refused, unknown, committed, inLedger, whats }: LoadCounts): string {
  return (
    `sent ${sent}: answered ${done} as done and ${refused} as refused, ${unknown} without an outcome ` +
    `(${committed} of them committed); in the ledger ${inLedger} (${JSON.stringify(whats)})`
  );
}
