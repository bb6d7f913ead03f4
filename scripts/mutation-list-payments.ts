// The mutations of payments in: who is believed, what is applied once, and what is told from two sides. See mutation-list.ts.
import type { Mutation } from './mutation-list.js';

const PROVIDERS = 'test/unit/payment-providers.test.ts';
const INBOX_TESTS = 'test/http/payment-inbox.test.ts';
const ASKED = 'test/http/payment-providers.test.ts';
const TWO_SIDES = 'test/http/two-sided-refunds.test.ts';
const LISTS = 'test/http/reconciliation.test.ts';
const AGAIN = 'test/http/recurring-charges.test.ts';
const SHARED = 'test/concurrency/shared-operations.test.ts';
const AT_ONCE = 'test/concurrency/payment-inbox.test.ts';

const mutation = (name: string, file: string, from: string, to: string, ...tests: string[]): Mutation => ({
  name,
  changes: [{ file, from, to }],
  tests,
});

export const payments: readonly Mutation[] = [
  mutation(
    'make an order of a charge that can not pay it',
    'src/ledger/recurring-charges.ts',
    'return error ? { error } : { order, error };',
    'return { order, error: null };',
    AGAIN,
  ),
  mutation(
    'let a charge that is told again pay another period',
    'src/db/charged-plans.ts',
    "const paid = payment?.status === 'paid' ?",
    "const paid = payment?.status === 'failed' ?",
    AGAIN,
    AT_ONCE,
  ),
  mutation(
    'let a further charge of several plans pay the first of them',
    'src/db/charged-plans.ts',
    'if (!line || others.length > 0) return',
    'if (!line || others.length > items.length) return',
    AGAIN,
  ),
  mutation(
    'let operations of one customer share what they load',
    'src/engine/lanes.ts',
    'held.has(id) || (!isOfBook && loading.has(id))',
    'held.has(id)',
    SHARED,
  ),
  mutation(
    'take an inquiry for a dispute',
    'src/payments/stripe.ts',
    "['warning_needs_response', 'ignored']",
    "['warning_needs_response', 'dispute_opened']",
    ASKED,
  ),
  mutation(
    'believe Stripe whoever signed',
    'src/payments/stripe.ts',
    'if (!secrets.some(isSignedBy)) throw',
    'if (secrets.length === 0) throw',
    PROVIDERS,
  ),
  mutation(
    'believe Stripe however long ago it signed',
    'src/payments/stripe.ts',
    'secret, TOLERANCE_S)',
    'secret, 0)',
    PROVIDERS,
  ),
  mutation('count shillings as ISO 4217 does', 'src/payments/stripe.ts', 'ISK: 2, UGX: 2', 'ISK: 2', PROVIDERS),
  mutation(
    'believe any secret of the same length',
    'src/payments/telegram.ts',
    'own.length === bytes.length && timingSafeEqual(own, bytes)',
    'own.length === bytes.length',
    INBOX_TESTS,
    PROVIDERS,
  ),
  mutation(
    'believe YooKassa from anywhere',
    'src/payments/yookassa.ts',
    'if (!isWithin(address, settings.networks ?? NETWORKS)) throw',
    'if (address === undefined) throw',
    PROVIDERS,
  ),
  mutation(
    'take another payment than the one that was asked about',
    'src/payments/yookassa.ts',
    ' || read.data.id !== wanted',
    '',
    ASKED,
  ),
  mutation(
    'believe any signature of the same length',
    'src/payments/generic.ts',
    'own.length === bytes.length && timingSafeEqual(own, bytes)',
    'own.length === bytes.length',
    PROVIDERS,
  ),
  mutation(
    'write what became of an event that somebody else took',
    'src/db/payment-inbox.ts',
    ' AND own.attempts = given.attempts\n',
    '\n',
    AT_ONCE,
    INBOX_TESTS,
  ),
  mutation(
    'confirm without the amount',
    'src/payments/effects.ts',
    'amount: amount === null || currency === null ? undefined : decimalOf(amount, currency),',
    'amount: undefined,',
    INBOX_TESTS,
  ),
  mutation(
    'leave an event under its lease after a fault',
    'src/payments/inbox.ts',
    'provider ? await outcomeOrFault(sharing, provider, record)',
    'provider ? await outcomeOf(deps, provider, record)',
    INBOX_TESTS,
  ),
  mutation(
    'take what failed here for known',
    'src/payments/reconcile.ts',
    "charge.isPaid && (!payment || payment.status === 'failed')",
    'charge.isPaid && !payment',
    LISTS,
  ),
  mutation(
    'refund without an id',
    'src/ledger/refunds.ts',
    'if (command.isToldByProvider) assertHasId(order, command);',
    '',
    TWO_SIDES,
  ),
  mutation(
    'count both sides of a refund',
    'src/ledger/refunds.ts',
    'const items = other ? [] : (computed ?? compute());',
    'const items = computed ?? compute();',
    TWO_SIDES,
  ),
  mutation(
    'let a refund fill two',
    'src/ledger/two-sided-refunds.ts',
    '      refund.paymentMethod === told.paymentMethod &&\n      otherSideOf(refunds, refund) === undefined,',
    '      refund.paymentMethod === told.paymentMethod,',
    TWO_SIDES,
  ),
  mutation(
    'count another amount beside what waits',
    'src/ledger/two-sided-refunds.ts',
    "if (found || isFailed || told.toldBy === 'caller' || !first) return found;",
    'if (found !== null) return found;',
    TWO_SIDES,
  ),
  mutation(
    'let one side of a refund fail',
    'src/ledger/refunds.ts',
    'const both = [counted, ...(other ? [seen === counted ? other : seen] : [])];',
    'const both = [counted];',
    TWO_SIDES,
  ),
];
