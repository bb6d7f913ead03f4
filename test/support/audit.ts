// The independent auditor: plain SQL over a test's database, run after each test that uses one. It keeps its connection, so that Postgres
// plans the checks once a file and not after every test. What events tell must be what their schemas say: one that does not ends the feed for everybody.
import pg from 'pg';
import { checkInvariants, describeDifference, findFailedChecks } from '../../src/db/invariants/audit.js';
import type { EventType } from '../../src/ledger/event-types.js';
import { toWireData } from '../../src/lib/wire-names.js';
import { dataOf } from '../../src/schemas/events.js';

/**
 * One plan for all audits of a connection, whatever the values; compiling it would take longer than it runs. It is made while the tables are
 * nearly empty and is kept when they grow, so that it may not rest on their being small: without loops in loops (measured: of 600 entries
 * 0.1 s instead of 8 s).
 */
export const AUDIT_SESSION_OPTIONS = [
  'plan_cache_mode=force_generic_plan',
  'jit=off',
  'enable_nestloop=off',
  'work_mem=64MB',
  'TimeZone=UTC',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** Events that one audit looks at: of the many that tests of load make the first say enough. */
const EVENTS_MAX = 1_000;

export interface Auditor {
  /** Throws when an invariant I1..I9 does not hold in the database, or for one customer. Instants may be any: tests set the clock. */
  audit(customerId?: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes the auditor of a database. It connects at its first audit, and again when the connection was lost in between. */
export function createAuditor(url: string): Auditor {
  let kept: pg.Client | undefined;
  let lastPlace = 0;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      options: AUDIT_SESSION_OPTIONS,
      application_name: 'bursar-audit',
    });
    // one lost while it idles is replaced; one lost while it is asked also fails the question
    client.on('error', () => {
      if (kept === client) kept = undefined;
    });
    await client.connect();
    return client;
  }

  return {
    async audit(customerId) {
      kept ??= await connect();
      const failed = await findFailedChecks(kept, { customerId: customerId ?? null });
      if (failed.length === 0) {
        const told = await readEvents(kept, lastPlace);
        lastPlace = Number(told.at(-1)?.place ?? lastPlace);
        for (const event of told) requireSchema(event);
        return;
      }
      const { differences } = await checkInvariants(kept, { customerId, latest: null });
      throw new Error(
        `invariants do not hold: ${failed.join(', ')}\n${differences.map(describeDifference).join('\n')}`,
      );
    },
    async close() {
      await kept?.end();
      kept = undefined;
    },
  };
}

interface ToldRow {
  place: string;
  type: EventType;
  data: Record<string, unknown>;
}

/** The events behind a place; those that a test wrote itself, in great numbers, say nothing. */
async function readEvents(client: pg.Client, after: number): Promise<ToldRow[]> {
  const events = "SELECT place, type, data FROM events WHERE place > $1 AND data <> '{}' ORDER BY place LIMIT $2";
  return (await client.query<ToldRow>(events, [after, EVENTS_MAX])).rows;
}

/** Throws when the data of an event are not those of its type. */
function requireSchema({ type, data }: ToldRow): void {
  const { error } = dataOf[type].safeParse(toWireData(data));
  if (error) throw new Error(`the data of ${type} are not as its schema says: ${error.message}`);
}

/** Throws when an invariant I1..I9 does not hold in the database; for one audit. */
export async function auditInvariants(url: string): Promise<void> {
  const auditor = createAuditor(url);
  try {
    await auditor.audit();
  } finally {
    await auditor.close();
  }
}
