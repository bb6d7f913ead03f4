// Load that remembers: many clients take units under keys of their own, whatever happens to the server meanwhile, and afterwards the ledger is
// compared with what each of them was told.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { ask } from './parallel.js';

const CLIENTS = 16;
/** A client whose request could not be answered waits so long before its next one. */
const PAUSE_MS = 200;
const POLL_MS = 10;
const DEADLINE_MS = 60_000;

/** What became of a request, as its client sees it; undefined when the connection was lost. */
export type Post = (
  body: object,
  key: string,
) => Promise<{ status: number; body: Record<string, unknown> } | undefined>;

interface Sent {
  key: string;
  externalId: string;
  amount: number;
  outcome: 'taken' | 'refused' | 'unknown';
  operationId: string | undefined;
}

/** `unknown` counts 503s and lost connections; `committed` those of them that are in the ledger all the same. */
export interface LoadCounts {
  sent: number;
  taken: number;
  refused: number;
  unknown: number;
  committed: number;
  inLedger: number;
}

interface Load {
  /** Returns once so many more requests were answered with success. */
  untilTaken(more: number): Promise<void>;
  /** Lets each client finish its request. */
  stop(): Promise<void>;
}

/** Starts clients that consume 1 to 3 units of the product until they are stopped. `sent` fills with what they did. */
export function startLoad(post: Post, people: readonly string[], productKey: string): Load & { sent: Sent[] } {
  const sent: Sent[] = [];
  let isStopped = false;
  const takenSoFar = () => sent.filter(({ outcome }) => outcome === 'taken').length;

  async function runClient(client: number): Promise<void> {
    for (let round = 0; !isStopped; round += 1) {
      const externalId = people[(client + round) % people.length] as string;
      const request = { key: `load-${client}-${round}`, externalId, amount: 1 + (round % 3) };
      const answer = await post(bodyOf(request, productKey), request.key);
      const outcome = outcomeOf(answer?.status);
      sent.push({ ...request, outcome, operationId: answer?.body.operation_id as string | undefined });
      if (outcome === 'unknown') await delay(PAUSE_MS);
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
    untilTaken: async (more) => {
      const enough = takenSoFar() + more;
      const endMs = performance.now() + DEADLINE_MS;
      while (takenSoFar() < enough) {
        if (failure !== undefined) throw failure;
        if (performance.now() > endMs) throw new Error(`only ${takenSoFar()} of ${enough} requests were answered`);
        await delay(POLL_MS);
      }
    },
    stop: async () => {
      isStopped = true;
      await ended;
      if (failure !== undefined) throw failure;
    },
  };
}

function bodyOf({ externalId, amount }: Pick<Sent, 'externalId' | 'amount'>, productKey: string) {
  return { external_id: externalId, product_key: productKey, amount };
}

function outcomeOf(status: number | undefined): Sent['outcome'] {
  if (status === 200) return 'taken';
  if (status === 402) return 'refused';
  if (status === undefined || status === 503) return 'unknown';
  throw new Error(`answered with ${status}`);
}

/**
 * Compares what clients were told with the ledger: every success is there once, with its operation id and amount, every refusal nowhere, and
 * nothing else. Then sends each request again: what succeeded gets its operation again, and nobody takes twice.
 */
export async function compareWithLedger(
  url: string,
  post: Post,
  sent: readonly Sent[],
  productKey: string,
): Promise<LoadCounts> {
  const before = await readLedger(url);
  const of = (outcome: Sent['outcome']) => sent.filter((each) => each.outcome === outcome);
  const expected = of('taken').map(({ key, operationId, amount }) => ({ key, id: operationId, amount }));
  const found = new Map(before.map((row) => [row.key, row]));
  expect(expected.filter(({ key, id, amount }) => !sameRow(found.get(key), { id, amount }))).toEqual([]);
  expect(of('refused').filter(({ key }) => found.has(key))).toEqual([]);
  const committed = of('unknown').filter(({ key }) => found.has(key)).length;
  expect(before).toHaveLength(expected.length + committed);

  const faults: string[] = [];
  const repeat = async (each: Sent): Promise<void> => {
    const again = await post(bodyOf(each, productKey), each.key);
    const known = found.get(each.key);
    if (known && (again?.status !== 200 || again.body.operation_id !== known.id)) faults.push(`${each.key} took twice`);
    if (each.outcome === 'refused' && again?.status !== 402) faults.push(`${each.key} was refused, and is no more`);
  };
  for (let at = 0; at < sent.length; at += CLIENTS) await Promise.all(sent.slice(at, at + CLIENTS).map(repeat));
  expect(faults).toEqual([]);
  const after = await readLedger(url);
  expect(after.filter(({ key }) => found.has(key))).toEqual(before);
  return {
    sent: sent.length,
    taken: expected.length,
    refused: of('refused').length,
    unknown: of('unknown').length,
    committed,
    inLedger: before.length,
  };
}

interface LedgerRow {
  key: string;
  id: string;
  amount: number;
}

function sameRow(row: LedgerRow | undefined, { id, amount }: { id: string | undefined; amount: number }): boolean {
  return row !== undefined && row.id === id && row.amount === amount;
}

/** The consumes under keys, with what their entries took. */
async function readLedger(url: string): Promise<LedgerRow[]> {
  const rows = await ask(
    url,
    `SELECT o.idempotency_key AS key, o.id, sum(e.amount)::int AS amount
     FROM operations o JOIN entries e ON e.customer_id = o.customer_id AND e.operation_id = o.id AND e.kind = 'consume'
     WHERE o.name = 'quota.consume' AND o.idempotency_key LIKE 'load-%'
     GROUP BY o.customer_id, o.id, o.idempotency_key ORDER BY o.idempotency_key, o.id`,
  );
  return rows as unknown as LedgerRow[];
}

/** The counts as one line, for an annotation. */
export function describeCounts({ sent, taken, refused, unknown, committed, inLedger }: LoadCounts): string {
  return (
    `sent ${sent}: answered ${taken} as taken and ${refused} as refused, ${unknown} without an outcome ` +
    `(${committed} of them committed); in the ledger ${inLedger}`
  );
}
