// In whose ledger a batch of an order is: what an order of a customer that was merged granted goes on in those of whom he was merged into, one after the other, up to the
// one whom he leads to (DOMAIN 3.10).
import { required } from '../lib/assert.js';
import { type Book, ledgerOf, type Onward } from './book.js';
import { onwardTo } from './moving-on.js';
import type { Sold, SoldBatch } from './sold-entities.js';

/**
 * What is known of the order that is refunded or disputed, in all ledgers in which it went on where its customer was merged. Precondition: whoever is between him and the one
 * whom he leads to, and has something of the order, is locked with them.
 */
export function soldIn(book: Book): Sold {
  const own = required(book.sold, 'what the order granted is loaded');
  if (!book.onward) return own;
  const final = book.onward.book;
  const between = [...(book.others?.values() ?? [])].filter((each) => each !== book && each !== final && each.sold);
  const elsewhere = new Map(
    [...between, final].map((each) => [each.customerId, required(each.sold, 'it is loaded of all')]),
  );
  for (const [ledgerId, { batches, access }] of elsewhere)
    for (const batch of [...batches, ...access]) batch.ledgerId = ledgerId;
  const all = [own, ...elsewhere.values()];
  return {
    ...own,
    batches: all.flatMap(({ batches }) => batches),
    access: all.flatMap(({ access }) => access),
    clawbacks: new Map(all.flatMap(({ clawbacks }) => [...clawbacks])),
    revokes: new Map(all.flatMap(({ revokes }) => [...revokes])),
    elsewhere,
  };
}

/** Posts in the ledger in which a batch is. */
export function inLedgerOf<T>(book: Book, { ledgerId }: SoldBatch, operationId: string, post: (own: Book) => T): T {
  if (ledgerId === undefined) return post(book);
  const way = wayTo(book, ledgerId);
  return way.post(operationId, () => post(way.book));
}

/** The way from the book of a customer that was merged to that of another of his family. */
function wayTo(book: Book, ledgerId: string): Onward {
  if (book.onward?.book.customerId === ledgerId) return book.onward;
  book.through ??= new Map();
  const known = book.through.get(ledgerId);
  if (known) return known;
  const way = onwardTo(book, ledgerOf(book, ledgerId));
  book.through.set(ledgerId, way);
  return way;
}

/** What the ledger of a batch knows of the order. */
export function soldOf(sold: Sold, { ledgerId }: SoldBatch): Sold {
  return ledgerId === undefined ? sold : required(sold.elsewhere?.get(ledgerId), 'the customer was merged');
}
