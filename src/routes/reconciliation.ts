// A provider's own list of charges, held against what is known here.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError, type FieldError } from '../errors/app-error.js';
import { findForeignByte, parseJsonBody } from '../http/json-body.js';
import { defineRoute, type FileBody } from '../http/route.js';
import { createCheck, toJsonPointer } from '../http/validation.js';
import type { Payment } from '../ledger/order-entities.js';
import { readCsv } from '../lib/csv.js';
import { parseMoney } from '../lib/money.js';
import { type Charge, reconcile } from '../payments/reconcile.js';
import { chargesDocument, chargesTable, reconcileAnswer, reconcileQuery } from '../schemas/reconciliation.js';
import { toldAmount } from './payment-views.js';

const PAID: ReadonlySet<string> = new Set(['paid', 'succeeded']);
const FAULTS_MAX = 100;
const checkDocument = createCheck(chargesDocument, 'body', FAULTS_MAX);

export function registerReconciliation(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/payments/reconcile',
    operationId: 'reconcilePayments',
    summary: 'Hold a provider’s list of charges against what is known here',
    description:
      'Tells what is missing on either side and what differs, and changes nothing; with `apply=true` what is missing here comes in as if the provider had told it, once however often it is sent.',
    tag: 'payments',
    access: 'payments',
    query: reconcileQuery,
    files: { 'application/json': chargesDocument, 'text/csv': chargesTable },
    idempotent: false,
    isDear: true,
    responses: { 200: reconcileAnswer },
    problems: ['payment_provider_not_found'],
    handler: async ({ query, file }) => {
      const { payment_method: paymentMethod, from, until, apply: isApplied } = query;
      if ((from === undefined) !== (until === undefined))
        throw new AppError('invalid_request', '`from` and `until` belong together.', { pointer: 'query/from' });
      const span = from && until && { from, until };
      const found = await reconcile(deps, await readCharges(file), { paymentMethod, span, isApplied });
      return {
        status: 200,
        body: {
          payment_method: found.paymentMethod,
          charges: found.charges,
          matched: found.matched,
          missing_here: { count: found.missingHere.count, data: found.missingHere.listed.map(toChargeView) },
          missing_there: found.missingThere
            ? { count: found.missingThere.count, data: found.missingThere.listed.map(toPaymentView) }
            : null,
          differing: {
            count: found.differing.count,
            data: found.differing.listed.map(({ charge, payment }) => ({
              payment_id: charge.paymentId,
              order_id: payment.orderId,
              there: { amount: charge.amount, currency: charge.currency, paid: charge.isPaid },
              here: { amount: toldAmount(payment), currency: payment.currency, status: payment.status },
            })),
          },
          applied: found.applied ?? null,
        },
      };
    },
  });
}

function toChargeView({ paymentId, amount, currency, orderId }: Charge) {
  return { payment_id: paymentId, amount, currency, order_id: orderId ?? null };
}

function toPaymentView(payment: Payment) {
  const { paymentId, currency, orderId } = payment;
  return { payment_id: paymentId, amount: toldAmount(payment), currency, order_id: orderId };
}

/** The charges of a file. Throws: malformed_json, invalid_request with what is wrong in it. */
async function readCharges({ bytes, mediaType }: FileBody): Promise<Charge[]> {
  const isTable = mediaType === 'text/csv';
  const { charges, lines } = isTable ? await readTable(bytes) : { charges: parseJsonBody(bytes), lines: [] };
  const checked = checkDocument(charges);
  if ('errors' in checked) throw refused(checked.errors.map((error) => withLine(error, lines)));
  const { charges: each, contradicting } = onceEach(checked.value.charges.map(toCharge));
  if (contradicting.length === 0) return each;
  const message = 'is named twice as paid, with another amount or currency';
  const faults = contradicting.slice(0, FAULTS_MAX).map((at) => {
    return withLine({ pointer: toJsonPointer(['charges', at, 'payment_id']), code: 'invalid', message }, lines);
  });
  throw refused(faults);
}

/** A fault with the line of its charge, where that is known. */
function withLine(error: FieldError, lines: readonly number[]): FieldError {
  const [, at] = /^\/charges\/(\d+)/.exec(error.pointer) ?? [];
  const line = at === undefined ? undefined : lines[Number(at)];
  return line === undefined ? error : { ...error, line };
}

function refused(errors: FieldError[]): AppError {
  const count = errors.length < FAULTS_MAX ? errors.length : `${FAULTS_MAX} or more`;
  const faults = errors.length === 1 ? 'a fault' : `${count} faults`;
  return new AppError('invalid_request', `The list has ${faults}, see errors.`, { errors });
}

/** Each charge once: a list may tell of all attempts at it, of which one paid. And which rows tell of a payment otherwise than one before. */
function onceEach(rows: readonly Charge[]): { charges: Charge[]; contradicting: number[] } {
  const charges = new Map<string, Charge>();
  const contradicting: number[] = [];
  for (const [at, row] of rows.entries()) {
    const known = charges.get(row.paymentId);
    if (!known || (row.isPaid && !known.isPaid)) charges.set(row.paymentId, row);
    else if (row.isPaid && !isSameMoney(row, known)) contradicting.push(at);
  }
  return { charges: [...charges.values()], contradicting };
}

function isSameMoney(one: Charge, other: Charge): boolean {
  return parseMoney(one.amount) === parseMoney(other.amount) && one.currency === other.currency;
}

function toCharge({
  payment_id,
  status,
  order_id,
  amount,
  currency,
}: z.output<typeof chargesDocument>['charges'][0]): Charge {
  const orderId = order_id === undefined || order_id === '' ? undefined : order_id;
  return { paymentId: payment_id, amount, currency, isPaid: PAID.has(status), orderId };
}

const COLUMNS = ['payment_id', 'amount', 'currency', 'status'];

function unreadableTable(line: number, message: string): AppError {
  return new AppError('invalid_request', `line ${line}: ${message}`, { pointer: '' });
}

/** Throws: invalid_request (a column is missing, or there twice). */
function assertHeader(names: readonly string[], line: number): void {
  const missing = COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) throw unreadableTable(line, `the header has no ${missing.join(', ')}`);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw unreadableTable(line, `the header has ${twice} twice`);
}

/** A table as the document that it means. Throws: invalid_request, where it can't be read. */
async function readTable(bytes: Buffer): Promise<{ charges: unknown; lines: number[] }> {
  const lines: number[] = [];
  const rows: Record<string, string>[] = [];
  let header: string[] | undefined;
  const foreign = findForeignByte(bytes);
  if (foreign) throw unreadableTable(foreign.line, 'the file is not in UTF-8');
  const fault = await readCsv(bytes, ({ line, cells }) => {
    const names = header;
    if (!names) {
      header = cells.map((cell) => cell.trim().toLowerCase());
      assertHeader(header, line);
      return;
    }
    lines.push(line);
    rows.push(Object.fromEntries(cells.map((cell, at) => [names[at] ?? `column ${at + 1}`, cell.trim()])));
  });
  if (fault) throw unreadableTable(fault.line, fault.message);
  if (!header) throw unreadableTable(1, `a header is missing, with ${COLUMNS.join(', ')}`);
  return { charges: { charges: rows }, lines };
}
