// The catalogue as a file, as of one instant: a document with a line for each product and offer, or a table.
import type { Deps } from '../deps.js';
import type { Download } from '../http/route.js';
import { writeCsv } from '../lib/csv.js';
import { readCatalog } from '../services/catalog.js';
import { type CatalogTable, offerTable, productTable } from './catalog-columns.js';
import { toOfferRecord, toProductView } from './views.js';

/** Both lists, in one JSON document. */
export async function writeCatalogDocument(deps: Deps): Promise<Download['file']> {
  const lists = { products: [] as Buffer[], offers: [] as Buffer[] };
  const add = (list: Buffer[], records: readonly object[]): void => {
    if (records.length === 0) return;
    const text = records.map((record) => JSON.stringify(record)).join(',\n');
    list.push(Buffer.from(list.length === 0 ? text : `,\n${text}`));
  };
  await readCatalog(deps, {
    products: (products) => add(lists.products, products.map(toProductView)),
    offers: (offers) => add(lists.offers, offers.map(toOfferRecord)),
  });
  const between = [...lists.products, Buffer.from('\n],"offers":[\n'), ...lists.offers];
  const bytes = Buffer.concat([Buffer.from('{"products":[\n'), ...between, Buffer.from('\n]}\n')]);
  return { bytes, mediaType: 'application/json', name: 'catalogue.json' };
}

/** One of both, as CSV. */
export async function writeCatalogTable(deps: Deps, of: 'products' | 'offers'): Promise<Download['file']> {
  const parts = [of === 'products' ? headerOf(productTable) : headerOf(offerTable)];
  await readCatalog(
    deps,
    of === 'products'
      ? { products: (products) => parts.push(rowsOf(productTable, products.map(toProductView))) }
      : { offers: (offers) => parts.push(rowsOf(offerTable, offers.map(toOfferRecord).flatMap(toRows))) },
  );
  return { bytes: Buffer.concat(parts), mediaType: 'text/csv', name: `${of}.csv` };
}

/** A row for each item, or one without. */
function toRows(offer: ReturnType<typeof toOfferRecord>) {
  const items = offer.items.length === 0 ? [undefined] : offer.items;
  return items.map((item) => ({ ...offer, item }));
}

function headerOf<R>({ columns }: CatalogTable<R>): Buffer {
  return Buffer.from(writeCsv([columns.map(({ name }) => name)]));
}

function rowsOf<R>({ columns }: CatalogTable<R>, rows: readonly R[]): Buffer {
  return Buffer.from(writeCsv(rows.map((row) => columns.map(({ write }) => write(row)))));
}
