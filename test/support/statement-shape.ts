// The shape that every statement has which is about customers: each table that a customer owns is named with his id, or those of all customers that the
// statement is about, as a parameter of its own, so that an engine that distributes the tables sends it to one place. A join is not enough. Claims are
// found by their whole key and stand apart; the few statements that are about nobody in particular are listed with the reason.
import type { Column } from '../../src/db/table.js';
import * as tables from '../../src/db/tables.js';

/** Tables that are found by a key of their own, which names no customer. */
const CLAIMS: ReadonlySet<string> = new Set([
  'identities',
  'former_identities',
  'payments',
  'refunds',
  'disputes',
  'trial_uses',
  'customer_merges',
  'customer_erasures',
  'rewards',
]);

/** What may be without its customers, by a part of its text. */
const EXEMPT: readonly { part: string; reason: string }[] = [
  { part: 'FROM customers WHERE due_at <=', reason: 'the sweep asks of whom anything is due' },
  { part: 'FROM batches WHERE notice_at <= $1', reason: 'of whose batches it is time to tell' },
  { part: 'SELECT t.id, t.customer_id, c.merged_into FROM', reason: 'whose a thing is, is looked up by its id' },
  { part: 'SELECT listed.*, i.items FROM', reason: 'a list over orders' },
  { part: 'ORDER BY s.created_at DESC, s.id DESC LIMIT', reason: 'a list over subscriptions' },
  { part: 'SELECT c.id, c.metadata, c.created_at', reason: 'a list over customers' },
  { part: 'FROM idempotency_records WHERE recorded_at <', reason: 'old keys are forgotten, whoever had them' },
  { part: 'LEFT JOIN identities i ON', reason: 'customers are looked up by an id or an identity' },
  { part: 'FROM batches WHERE product_key = k.product_key', reason: 'whether anybody holds units of a product' },
  { part: 'FROM events e\nWHERE e.place >', reason: 'the feed is of everybody' },
  { part: 'SELECT place FROM events WHERE place >', reason: 'how far the feed looks at a time' },
  {
    part: 'FROM webhook_deliveries d JOIN events e',
    reason: 'deliveries are an endpoint’s, whoever the events are of',
  },
  { part: 'FROM feed JOIN events e', reason: 'events of a range of time are sent again, whoever they are of' },
  { part: 'FROM events ORDER BY place', reason: 'events go by age, whose ever they are' },
  { part: 'FROM batches WHERE product_key = $1', reason: 'what became of a product, over all customers' },
  { part: 'SELECT 1 FROM entries OFFSET', reason: 'how large the ledger is' },
  { part: 'FROM entries e WHERE e.recorded_at >=', reason: 'uses of everybody in a span of time' },
  { part: 'depth', reason: 'referrers above a customer are other customers' },
  {
    part: 'owner_tag, created_at, updated_at, subject_type, subject, customer_id',
    reason: 'lists of limits, and one by its id',
  },
  { part: 'FROM limit_sources WHERE', reason: 'who shares the limits of a customer are others' },
  { part: 'UPDATE limit_sources own SET source_id', reason: 'who shares the limits of a customer are others' },
  { part: 'UPDATE limit_sources SET changes', reason: 'who shares the limits of a customer are others' },
  { part: 'referrer_id', reason: 'a list of referrals is of whom a customer brought' },
  {
    part: 'SELECT min(m.due_at) FROM customers m',
    reason: 'what falls due of a family falls due wherever its members are',
  },
  { part: 'FROM former_identities WHERE provider', reason: 'whose an identity was, and who was merged into him' },
  {
    part: 'SELECT c.merged_into FROM customers c WHERE c.id = e.customer_id',
    reason: 'events tell whom their customer leads to',
  },
  { part: 'AS invariant', reason: 'the auditor looks at everybody' },
  { part: '-- ', reason: 'the auditor looks at everybody' },
];

const ownedTables = Object.values(tables)
  .filter(({ name, columns }) => {
    const names = Object.values(columns as Record<string, Column<unknown>>).map((column) => column.name);
    return !CLAIMS.has(name) && (name === 'customers' || names.includes('customer_id'));
  })
  .map(({ name }) => name);

const NOT_AN_ALIAS =
  /^(?:where|on|using|set|cross|join|left|order|group|limit|for|select|with|and|as|union|returning)$/i;

/** What a statement lacks: the tables that it does not name with their customers. Empty when all is well, or it is exempt. */
export function missingCustomers(sql: string): string[] {
  if (EXEMPT.some(({ part }) => sql.includes(part))) return [];
  const found = sql.matchAll(
    new RegExp(`\\b(?:FROM|JOIN|UPDATE|DELETE FROM)\\s+(${ownedTables.join('|')})\\b(?:\\s+(\\w+))?`, 'gi'),
  );
  return [...found].flatMap(([, table = '', word]) => {
    const alias = word === undefined || NOT_AN_ALIAS.test(word) ? undefined : word;
    const column = table === 'customers' ? 'id' : 'customer_id';
    const prefix = alias === undefined ? `(?:${table}\\.|(?<![.\\w]))` : `\\b${alias}\\.`;
    const isNamed = new RegExp(`${prefix}${column} = (?:ANY \\(\\$\\d+|\\$\\d+)`).test(sql);
    return isNamed ? [] : [`${table}${alias === undefined ? '' : ` ${alias}`}`];
  });
}
