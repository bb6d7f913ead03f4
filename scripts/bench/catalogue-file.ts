// What a large file of the catalogue costs: how long an import and an export of so many records take, how much memory the process takes meanwhile, and how
// long somebody else waits for his answer.
import { type Server, type Service, startApi, watchMemory } from './processes.js';
import { printTable, wholeNumber } from './report.js';

const SIZES = [10_000, 100_000];
const PRODUCTS = 100;
const MIB = 1_048_576;

/** Prints a row for each size: the first import, the same again, one record changed in ten, and the exports. */
export async function measureCatalogueFile(server: Server): Promise<void> {
  const rows: string[][] = [];
  for (const size of SIZES) {
    const databaseUrl = await server.createDatabase(`bench_catalogue_${size}`);
    const api = await startApi({ DATABASE_URL: databaseUrl });
    await send(api, '/catalog/import', productTable());
    const first = offerTable(size, () => '9.99');
    const some = offerTable(size, (index) => (index % 10 === 0 ? '8.99' : '9.99'));
    const faulty = offerTable(size, () => '19.99 USD');
    const steps: [string, () => Promise<string>][] = [
      ['first import', () => send(api, '/catalog/import', first)],
      ['the same again', () => send(api, '/catalog/import', first)],
      ['one in ten changed', () => send(api, '/catalog/import', some)],
      ['every record at fault', () => send(api, '/catalog/import', faulty, 400)],
      ['export as CSV', () => send(api, '/catalog/export?format=csv&of=offers')],
      ['export as JSON', () => send(api, '/catalog/export')],
    ];
    for (const [name, step] of steps) {
      const { seconds, bytes, memory, waitMs } = await measure(api, step);
      process.stderr.write(`${wholeNumber(size)} offers: ${name}: ${seconds.toFixed(1)} s\n`);
      const figures = [seconds.toFixed(1), (bytes / MIB).toFixed(1), (memory / MIB).toFixed(0), wholeNumber(waitMs)];
      rows.push([`${wholeNumber(size)} offers: ${name}`, ...figures]);
    }
    await api.stop();
  }
  printTable('Files of the catalogue', ['', 's', 'answer, MiB', 'memory at most, MiB', 'another waited, ms'], rows);
}

async function measure(api: Service, step: () => Promise<string>) {
  let isOver = false;
  let waitMs = 0;
  const asking = (async () => {
    while (!isOver) {
      const askedMs = performance.now();
      await fetch(`${api.url}/health/live`).then(
        (answer) => answer.text(),
        () => undefined, // it was stopped, because the step failed
      );
      waitMs = Math.max(waitMs, performance.now() - askedMs);
    }
  })();
  const startMs = performance.now();
  const { result, bytesMax } = await watchMemory(api.pid, step).finally(() => {
    isOver = true;
  });
  const seconds = (performance.now() - startMs) / 1_000;
  await asking;
  return { seconds, bytes: Buffer.byteLength(result), memory: bytesMax, waitMs };
}

async function send({ url, token }: Service, path: string, table?: string, expected = 200): Promise<string> {
  const answer = await fetch(`${url}/api/v1/billing${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    ...(table !== undefined && { method: 'POST', body: table }),
  });
  const text = await answer.text();
  if (answer.status !== expected) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
  return text;
}

function productTable(): string {
  const rows = Array.from({ length: PRODUCTS }, (_, index) => `PRODUCT_${index},Product ${index},quantity`);
  return `product_key,name,product_type\n${rows.join('\n')}\n`;
}

function offerTable(size: number, priceOf: (index: number) => string): string {
  const rows = Array.from({ length: size }, (_, index) => {
    const description = `A pack of units that is sold in many places ${index}`;
    return `OFFER_${index},Offer ${index},${priceOf(index)},USD,${description},PRODUCT_${index % PRODUCTS},${index + 1},months,1,"{""tier"":${index % 3}}"`;
  });
  return `sku,name,price,currency,description,product_key,quantity,period_unit,period_value,metadata\n${rows.join('\n')}\n`;
}
