// A file of the catalogue: read into what the catalogue is to have, each fault with its place, and written so that an import reads the same again.
import { setImmediate } from 'node:timers/promises';
import type { z } from 'zod';
import { AppError, type FieldError } from '../errors/app-error.js';
import { findForeignByte, parseJsonBody } from '../http/json-body.js';
import type { FileBody } from '../http/route.js';
import { type Check, createCheck } from '../http/validation.js';
import type { Given, GivenCatalog, OfferTerms, ProductTerms } from '../ledger/catalog.js';
import { linesOfElements } from '../lib/json-lines.js';
import { catalogFrame, offerRecord, productRecord } from '../schemas/catalog.js';
import type { ImportedCatalog } from '../services/catalog.js';
import { explainPrice } from './catalog-columns.js';
import { type RawRecord, readTable, tooMany } from './catalog-table.js';
import { toOfferTerms, toProductTerms } from './catalog-terms.js';

/** Rows of a table, or records of a document, in one file. */
const RECORDS_MAX = 100_000;
/** Faults that a refusal lists; the others are counted. */
const FAULTS_LISTED_MAX = 10_000;
const FAULTS_OF_RECORD_MAX = 1_000;
/** So many records are checked at a time; others get their turn in between. */
const CHECKED_AT_ONCE = 500;

/** What a file gives, with what is wrong with it so far. */
export interface ReadCatalog {
  given: GivenCatalog;
  faults: FieldError[];
  /** Of the given products and offers, in their order. */
  places: Record<Kind, RawRecord['placeOf'][]>;
}

type Kind = 'products' | 'offers';
type Says = RawRecord['says'];
type Records = Record<Kind, Iterable<RawRecord>>;

const KEYS: Readonly<Record<Kind, string>> = { products: 'product_key', offers: 'sku' };

const NOTHING: ReadonlySet<string> = new Set();

const checkFrame = createCheck(catalogFrame);
const checkProduct = createCheck(productRecord, 'body', FAULTS_OF_RECORD_MAX);
const checkOffer = createCheck(offerRecord, 'body', FAULTS_OF_RECORD_MAX);

/** Reads a file. Throws: malformed_json, invalid_catalog (the file as a whole), unsupported_media_type. */
export async function readCatalogFile({ bytes, mediaType }: FileBody): Promise<ReadCatalog> {
  const { records, faults } = mediaType === 'text/csv' ? await readCsvFile(bytes) : readJsonFile(bytes);
  const unread = new Set<string>();
  const toProduct = (value: z.output<typeof productRecord>, says: Says) =>
    toGiven(value, toProductTerms(value.product_key, value), PRODUCT_MEMBERS, says);
  const toOffer = (value: z.output<typeof offerRecord>, says: Says) =>
    toGiven(value, toOfferTerms(value.sku, value), OFFER_MEMBERS, says);
  const products = await checkAll(records.products, 'products', checkProduct, toProduct, unread);
  const offers = await checkAll(records.offers, 'offers', checkOffer, toOffer, unread);
  return {
    given: { products: products.good, offers: offers.good, unread },
    faults: [...faults, ...products.faults, ...offers.faults],
    places: { products: products.places, offers: offers.places },
  };
}

async function readCsvFile(bytes: Buffer): Promise<{ records: Records; faults: FieldError[] }> {
  const foreign = findForeignByte(bytes);
  if (foreign) {
    const message = `the file is not in UTF-8 at line ${foreign.line}: save it as CSV in UTF-8`;
    return {
      records: { products: [], offers: [] },
      faults: [{ pointer: '', code: 'malformed_csv', message, line: foreign.line }],
    };
  }
  const { name, records, faults } = await readTable(bytes, RECORDS_MAX);
  return { records: { products: [], offers: [], [name]: records }, faults };
}

function readJsonFile(bytes: Buffer): { records: Records; faults: FieldError[] } {
  const checked = checkFrame(parseJsonBody(bytes));
  if ('errors' in checked) return { records: { products: [], offers: [] }, faults: checked.errors };
  const { products = [], offers = [] } = checked.value;
  const count = products.length + offers.length;
  if (count > RECORDS_MAX) return { records: { products: [], offers: [] }, faults: [tooMany(count, RECORDS_MAX)] };
  let lines: Map<string, number[]> | undefined;
  const lineOf = (kind: Kind, index: number): number => {
    lines ??= linesOfElements(bytes.toString('utf8'));
    return lines.get(kind)?.[index] ?? 1;
  };
  const toRaw = (kind: Kind) => (raw: unknown, index: number) => ({
    raw,
    faults: [],
    lacks: NOTHING,
    says: (member: string) => typeof raw === 'object' && raw !== null && Object.hasOwn(raw, member),
    placeOf: (path: readonly string[]) => ({
      pointer: ['', kind, index, ...path].join('/'),
      line: lineOf(kind, index),
      record: index + 1,
      ...(path.length > 0 && { column: path.join('/') }),
    }),
  });
  return { records: { products: products.map(toRaw('products')), offers: offers.map(toRaw('offers')) }, faults: [] };
}

interface Checked<T> {
  good: Given<T>[];
  /** Of those that are good. */
  places: RawRecord['placeOf'][];
  faults: FieldError[];
}

/**
 * Checks records of one kind, each by itself, and that none is named twice; of each no more is kept than what it gives and where it stands. The names of
 * those that have faults become unread.
 */
async function checkAll<V, T>(
  records: Iterable<RawRecord>,
  kind: Kind,
  check: Check<V>,
  giveOf: (value: V, says: Says) => Given<T>,
  unread: Set<string>,
): Promise<Checked<T>> {
  const checked: Checked<T> = { good: [], places: [], faults: [] };
  const key = KEYS[kind];
  const seen = new Map<string, RawRecord['placeOf']>();
  let count = 0;
  for (const record of records) {
    if (count % CHECKED_AT_ONCE === 0) await setImmediate();
    count += 1;
    const { raw, says, placeOf } = record;
    const name = nameOf(raw, key);
    const result = check(raw);
    const faults = 'errors' in result ? placed(record, result.errors) : [...record.faults];
    const firstPlaceOf = name === undefined ? undefined : seen.get(name);
    if (firstPlaceOf)
      faults.push({
        ...placeOf([key]),
        code: 'duplicate',
        message: `${name} is there already, on line ${firstPlaceOf([]).line}`,
      });
    else if (name !== undefined) seen.set(name, placeOf);
    if ('value' in result && faults.length === 0) {
      checked.good.push(giveOf(result.value, says));
      checked.places.push(placeOf);
    } else if (name !== undefined && !firstPlaceOf) unread.add(name);
    checked.faults.push(...faults);
  }
  return checked;
}

function nameOf(raw: unknown, key: string): string | undefined {
  const name = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>)[key] : undefined;
  return typeof name === 'string' && name.trim() !== '' ? name.trim().toUpperCase() : undefined;
}

/** The faults of a record with their places: those of cells, and those of members whose cell has none; not those of columns that the file lacks. */
function placed({ raw, faults, lacks, placeOf }: RawRecord, errors: readonly FieldError[]): FieldError[] {
  const known = new Set(faults.map(({ pointer }) => pointer));
  const ofMembers = errors.map(({ pointer, code, message }): FieldError => {
    const path = pathOf(pointer);
    return { ...placeOf(path), code, message: (path[0] === 'price' && explainRaw(raw)) || message };
  });
  return [...faults, ...ofMembers.filter(({ pointer, column = '' }) => !known.has(pointer) && !lacks.has(column))];
}

function explainRaw(raw: unknown): string | undefined {
  const price = (raw as { price?: unknown }).price;
  return typeof price === 'string' ? explainPrice(price) : undefined;
}

/** A pointer of `PUT` as a path in its record. */
function pathOf(pointer: string): string[] {
  if (pointer === 'path/key') return [KEYS.products];
  if (pointer === 'path/sku') return [KEYS.offers];
  return pointer === '' ? [] : pointer.slice(1).split('/');
}

/** By the members of a record, those of its terms that stay as they are where it doesn't say them. */
const PRODUCT_MEMBERS = {
  description: 'description',
  is_currency: 'isCurrency',
  is_active: 'isActive',
  features: 'features',
  low_balance_threshold: 'lowBalanceThreshold',
  expiring_days: 'expiringDays',
  metadata: 'metadata',
} as const satisfies Record<string, keyof ProductTerms>;

const OFFER_MEMBERS = {
  description: 'description',
  image: 'image',
  is_active: 'isActive',
  is_trial: 'isTrial',
  trial_policy: 'trialScope',
  trial_eligible: 'trialEligible',
  recurrence: 'recurrence',
  plan_group: 'planGroup',
  max_per_customer: 'maxPerCustomer',
  items: 'items',
  metadata: 'metadata',
} as const satisfies Record<string, keyof OfferTerms>;

function toGiven<T>(
  { created_at: createdAt }: { created_at?: Date | undefined },
  terms: T,
  members: Readonly<Record<string, Given<T>['kept'][number]>>,
  says: Says,
): Given<T> {
  const kept = Object.entries(members).flatMap(([member, own]) => (says(member) ? [] : [own]));
  return { terms, kept, createdAt };
}

/** Refuses a file with what was found wrong with it, and what its records are refused for. Throws: invalid_catalog. */
export function refuseFaults({ faults, places }: ReadCatalog, imported: Pick<ImportedCatalog, 'faults'>): void {
  const ofRecords = imported.faults.map(({ kind, index, fault: { pointer, code, message } }): FieldError => {
    const place = places[kind][index]?.(pathOf(pointer)) ?? { pointer };
    return { ...place, code, message };
  });
  const all = [...faults, ...ofRecords].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
  const [first] = all;
  if (first === undefined) return;
  const place = [first.line === undefined ? '' : `line ${first.line}`, first.column ?? '']
    .filter((part) => part !== '')
    .join(', ');
  const others = all.length > 1 ? ` (and ${all.length - 1} more, see errors)` : '';
  throw new AppError(
    'invalid_catalog',
    `${place === '' ? '' : `${place}: `}${first.message.replace(/\.$/, '')}${others}; nothing was imported.`,
    {
      errors: all.slice(0, FAULTS_LISTED_MAX),
      extensions: { faults: all.length },
    },
  );
}
