// The columns of the catalogue as CSV: what a cell says as a member of the record that `PUT` takes, and how a record is written as cells. The first columns
// of each table are those of the predecessor; the others may be missing.
import type { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import { parseJsonBody } from '../http/json-body.js';
import type { catalogFile } from '../schemas/catalog.js';

type CatalogFile = z.output<typeof catalogFile>;
export type ProductRow = CatalogFile['products'][number];
type ItemOfOffer = CatalogFile['offers'][number]['items'][number];
/** An offer with one of its items, or with none. */
export type OfferRow = CatalogFile['offers'][number] & { item: ItemOfOffer | undefined };

/** What a cell can't say. */
export class CellFault extends Error {}

/** Reads a cell that is not blank; what it returns is checked as a member of the record is. Throws CellFault. */
type ReadCell = (cell: string, delimiter: string) => unknown;

export interface Column<R> {
  name: string;
  /** Of the member in its record, or in its item. */
  path: readonly string[];
  ofItem: boolean;
  /** Whether a file must have it. */
  isRequired: boolean;
  read: ReadCell;
  write(row: R): string;
}

export interface CatalogTable<R> {
  name: 'products' | 'offers';
  /** The column that names a record. */
  key: string;
  columns: readonly Column<R>[];
}

const asText: ReadCell = (cell) => cell;
const asWord: ReadCell = (cell) => cell.toLowerCase();

/** As files have them, and as spreadsheets write theirs in English, German, French, Spanish, Italian, Portuguese and Russian. */
const YES = new Set(['true', '1', 'yes', 'wahr', 'vrai', 'verdadero', 'vero', 'verdadeiro', 'истина']);
const NO = new Set(['false', '0', 'no', 'falsch', 'faux', 'falso', 'ложь']);

const asSwitch: ReadCell = (cell) => {
  const word = cell.toLowerCase();
  if (YES.has(word) || NO.has(word)) return YES.has(word);
  throw new CellFault('must be true or false');
};

const asNumber: ReadCell = (cell) => {
  if (/^-?\d{1,20}$/.test(cell)) return Number(cell);
  throw new CellFault('must be a whole number in plain digits, such as 1000');
};

const asJson: ReadCell = (cell) => {
  try {
    return parseJsonBody(Buffer.from(cell));
  } catch (error) {
    if (error instanceof AppError) throw new CellFault('must be a JSON object, such as {"tier":"gold"}');
    throw error;
  }
};

/** Features with their unit costs, as `name=cost`, or `name` for 1, with blanks between them. */
const asFeatures: ReadCell = (cell) =>
  cell.split(/\s+/).map((part) => {
    const [feature, cost] = part.split('=');
    return cost === undefined ? feature : { feature, unit_cost: asNumber(cost, '') };
  });

const DECIMAL_COMMA = /^(\d+),(\d{1,2})$/;

/** Where columns are not divided by commas, a comma before one or two digits is a decimal one, as spreadsheets write it in many countries. */
const asPrice: ReadCell = (cell, delimiter) => (delimiter === ',' ? cell : cell.replace(DECIMAL_COMMA, '$1.$2'));

/** Why a text is no price, where it is one in another form; undefined where it is none at all. */
export function explainPrice(price: string): string | undefined {
  const [, before = '', number, after = ''] = /^([^\d.,+-]*)\s*([\d.,\s]*\d)\s*([^\d]*)$/.exec(price.trim()) ?? [];
  if (number === undefined) return undefined;
  const plain = plainNumber(number);
  const currency = `${before}${after}`.trim();
  if (currency !== '') {
    const named = /^[A-Za-z][A-Za-z0-9_]*$/.test(currency) ? currency.toUpperCase() : 'its code';
    return `has its currency in it: write ${plain}, and ${named} as the currency`;
  }
  if (DECIMAL_COMMA.test(number)) return `has a decimal comma: write ${plain}`;
  return /[,\s]|\..*\./.test(number)
    ? `has separators of thousands, or a decimal comma: write it as 1234.50`
    : undefined;
}

/** What was probably meant. */
function plainNumber(number: string): string {
  const compact = number.replaceAll(/\s/g, '').replace(DECIMAL_COMMA, '$1.$2');
  return /^\d+(?:\.\d+)?$/.test(compact) ? compact : 'it as 1234.50';
}

const yesNo = (value: boolean): string => (value ? 'true' : 'false');
const orBlank = (value: string | number | null | undefined): string => (value == null ? '' : String(value));
const jsonOf = (value: Record<string, unknown>): string =>
  Object.keys(value).length === 0 ? '' : JSON.stringify(value);

interface Options {
  isRequired?: boolean;
  ofItem?: boolean;
  path?: readonly string[];
}

function column<R>(name: string, read: ReadCell, write: (row: R) => string, options: Options = {}): Column<R> {
  const { isRequired = false, ofItem = false, path = [name] } = options;
  return { name, path, ofItem, isRequired, read, write };
}

/** A column of the member `plan`; blank of what is none. */
function ofPlan(
  name: string,
  read: ReadCell,
  path: readonly string[],
  write: (plan: NonNullable<OfferRow['plan']>) => string,
): Column<OfferRow> {
  return column(`plan_${name}`, read, ({ plan }) => (plan ? write(plan) : ''), { path: ['plan', ...path] });
}

const REQUIRED = { isRequired: true };
const OF_ITEM = { ofItem: true };

export const productTable: CatalogTable<ProductRow> = {
  name: 'products',
  key: 'product_key',
  columns: [
    column('product_key', asText, (row) => row.product_key, REQUIRED),
    column('name', asText, (row) => row.name, REQUIRED),
    column('description', asText, (row) => row.description),
    column('product_type', asWord, (row) => row.type, { isRequired: true, path: ['type'] }),
    column('is_active', asSwitch, (row) => yesNo(row.is_active)),
    column('is_currency', asSwitch, (row) => yesNo(row.is_currency)),
    column('created_at', asText, (row) => row.created_at.toISOString()),
    column('metadata', asJson, (row) => jsonOf(row.metadata)),
    column('features', asFeatures, (row) =>
      row.features.map(({ feature, unit_cost }) => (unit_cost === 1 ? feature : `${feature}=${unit_cost}`)).join(' '),
    ),
    column('low_balance_threshold', asNumber, (row) => orBlank(row.low_balance_threshold)),
    column('expiring_days', asNumber, (row) => orBlank(row.expiring_days)),
  ],
};

export const offerTable: CatalogTable<OfferRow> = {
  name: 'offers',
  key: 'sku',
  columns: [
    column('sku', asText, (row) => row.sku, REQUIRED),
    column('name', asText, (row) => row.name, REQUIRED),
    column('price', asPrice, (row) => row.price, REQUIRED),
    column('currency', asText, (row) => row.currency, REQUIRED),
    column('image', asText, (row) => orBlank(row.image)),
    column('description', asText, (row) => row.description),
    column('is_active', asSwitch, (row) => yesNo(row.is_active)),
    column('created_at', asText, (row) => row.created_at.toISOString()),
    column('metadata', asJson, (row) => jsonOf(row.metadata)),
    column('product_key', asText, ({ item }) => orBlank(item?.product_key), OF_ITEM),
    column('quantity', asNumber, ({ item }) => orBlank(item?.quantity), OF_ITEM),
    column('period_unit', asWord, ({ item }) => orBlank(item?.period_unit), OF_ITEM),
    column('period_value', asNumber, ({ item }) => orBlank(item?.period_value), OF_ITEM),
    column('is_trial', asSwitch, (row) => yesNo(row.is_trial)),
    column('trial_scope', asWord, (row) => orBlank(row.trial_policy?.scope), { path: ['trial_policy', 'scope'] }),
    column('recurrence_unit', asWord, (row) => orBlank(row.recurrence?.unit), { path: ['recurrence', 'unit'] }),
    column('recurrence_count', asNumber, (row) => orBlank(row.recurrence?.count), { path: ['recurrence', 'count'] }),
    column('plan_group', asText, (row) => orBlank(row.plan_group)),
    column('priority', asNumber, ({ item }) => orBlank(item?.priority), OF_ITEM),
    column('stacking', asWord, ({ item }) => orBlank(item?.stacking), OF_ITEM),
    column('max_per_customer', asNumber, (row) => orBlank(row.max_per_customer)),
    ofPlan('trial_unit', asWord, ['trial_period', 'unit'], (plan) => orBlank(plan.trial_period?.unit)),
    ofPlan('trial_count', asNumber, ['trial_period', 'count'], (plan) => orBlank(plan.trial_period?.count)),
    ofPlan('rollover', asWord, ['rollover'], (plan) => plan.rollover),
    ofPlan('rollover_cap', asNumber, ['rollover_cap'], (plan) => orBlank(plan.rollover_cap)),
    ofPlan('grace_days', asNumber, ['grace_days'], (plan) => orBlank(plan.grace_days)),
    ofPlan('grace_access', asSwitch, ['grace_access'], (plan) => yesNo(plan.grace_access)),
    ofPlan('grant_unit', asWord, ['grant_every', 'unit'], (plan) => orBlank(plan.grant_every?.unit)),
    ofPlan('grant_count', asNumber, ['grant_every', 'count'], (plan) => orBlank(plan.grant_every?.count)),
    column('trial_eligible', asSwitch, ({ trial_eligible: is }) => (is === null ? '' : yesNo(is))),
  ],
};
