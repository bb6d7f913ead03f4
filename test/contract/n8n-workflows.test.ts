// The workflows of docs/n8n: what their HTTP nodes send is sent to the service, with the demo catalogue, one request after another as the wires say, and
// every member that a node reads must be there. Their nodes and versions are those that n8n 2.8 has.
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { API_TOKEN, type Json, useTestApp } from '../support/app.js';
import { nodeOf, type Run, readWorkflow, runWorkflow, type WorkflowNode } from '../support/n8n-workflow.js';
import { newPerson, writtenBy } from '../support/requests.js';

const FOLDER = fileURLToPath(new URL('../../docs/n8n/', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/n8n.md', import.meta.url));
const app = useTestApp();

beforeAll(async () => {
  expect(await fillEmptyCatalogue(app.deps, demoCatalogue)).toBe(true);
});

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
/** The node versions that n8n 2.8 has, of those that we use. */
const VERSIONS: Record<string, number> = {
  'n8n-nodes-base.manualTrigger': 1,
  'n8n-nodes-base.set': 3.4,
  'n8n-nodes-base.if': 2.2,
  'n8n-nodes-base.httpRequest': 4.2,
};

const httpNodesOf = ({ nodes }: { nodes: WorkflowNode[] }) =>
  nodes.filter(({ type }) => type === 'n8n-nodes-base.httpRequest');

function run(file: string, begin: string, members: Json, instead: Record<string, Json> = {}): Promise<Run> {
  const { port } = app.app.server.address() as AddressInfo;
  const start = { bursar_url: `http://127.0.0.1:${port}`, ...members };
  return runWorkflow(readWorkflow(`${FOLDER}${file}`), { token: API_TOKEN, instead: { [begin]: start, ...instead } });
}

/** Which nodes ran, in their order. */
const pathOf = ({ items }: Run) => [...items.keys()];

describe.each(files)('the workflow %s', (file) => {
  const workflow = readWorkflow(`${FOLDER}${file}`);

  it('has nodes of versions that n8n 2.8 has, all of them wired', () => {
    for (const { name, type, typeVersion } of workflow.nodes)
      expect({ name, typeVersion: VERSIONS[type] }).toEqual({ name, typeVersion });
    const led = Object.values(workflow.connections).flatMap(({ main }) => main.flat().map(({ node }) => node));
    for (const name of [...Object.keys(workflow.connections), ...led]) expect(nodeOf(workflow, name).name).toBe(name);
    const [first, ...others] = workflow.nodes.map(({ name }) => name);
    expect(led).not.toContain(first);
    for (const name of others) expect(led).toContain(name);
  });

  it('retries five times with five seconds between', () => {
    for (const { name, retryOnFail, maxTries, waitBetweenTries } of httpNodesOf(workflow)) {
      expect([name, retryOnFail, maxTries, waitBetweenTries]).toEqual([name, true, 5, 5_000]);
    }
  });

  it('makes no key from the execution or the place of an item, nor in the node that sends it', () => {
    const text = JSON.stringify(workflow);
    for (const never of ['$execution', '$itemIndex', '$runIndex', '$now', 'Math.random'])
      expect(text).not.toContain(never);
    for (const { parameters } of httpNodesOf(workflow)) {
      const { parameters: headers } = (parameters.headerParameters ?? { parameters: [] }) as { parameters: Json[] };
      for (const { value } of headers) expect(value).toBe('={{ $json.idempotency_key }}');
    }
  });

  it('is named on the page', () => {
    expect(readFileSync(PAGE, 'utf8')).toContain(`](n8n/${file})`);
  });
});

describe('the list of the page', () => {
  const page = readFileSync(PAGE, 'utf8');
  const [, expression = ''] = /^=\{\{ (JSON\.stringify\(\{ items: [\s\S]*?) \}\}$/m.exec(page) ?? [];
  const send = (rows: Json[]) => {
    const $input = { all: () => rows.map((json) => ({ json })) };
    return app.post('/quota/consume/batch', JSON.parse(runInNewContext(expression, { $input })));
  };

  it('takes each row once, whose ids are numbers', async () => {
    const external_id = newPerson();
    await app.post('/grants', {
      provider: 'n8n',
      external_id,
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 9,
    });
    const rows = [1, 2].map((id) => ({ id, external_id, amount: 2 }));
    for (const replayed of [false, true]) {
      const { body } = await send(rows);
      expect(body.results).toMatchObject(rows.map(() => ({ allowed: true, replayed })));
    }
    const entries = await app.get(`/wallet/entries?provider=n8n&external_id=${external_id}&kind=consume`);
    expect(entries.body.data).toMatchObject([{ action_id: '2' }, { action_id: '1' }]);
  });

  it.each([undefined, null, Number.NaN, {}, ''])('takes nothing where a row has no id: %j', async (id) => {
    const external_id = newPerson();
    const written = await writtenBy(app, async () => {
      const answer = await send([{ id: 1 }, { id }, { id }].map((row) => ({ ...row, external_id, amount: 1 })));
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer: '/items/1/idempotency_key' }));
    });
    expect(written).toEqual({});
  });
});

describe('consume.json', () => {
  const begin = 'What is paid for';
  const grant = (external_id: string, quantity: number) =>
    app.post('/grants', { provider: 'n8n', external_id, grant_type: 'bonus', product_key: 'CREDITS', quantity });

  it('offers what would help to somebody who has too little', async () => {
    const refused = await run('consume.json', begin, { external_id: newPerson() });
    expect(pathOf(refused).slice(-3)).toEqual(['Allowed?', 'Too few units?', 'Offer more']);
    expect(refused.items.get('Offer more')).toEqual({
      remaining: 0,
      sku: 'CREDITS_100',
      text: '100 credits: 9.99 USD',
    });
  });

  it('takes the units once, however often it runs', async () => {
    const external_id = newPerson();
    await grant(external_id, 10);
    const first = await run('consume.json', begin, { external_id });
    expect(pathOf(first).slice(-2)).toEqual(['Allowed?', 'Do the work']);
    expect(first.items.get('Do the work')).toMatchObject({ remaining: 8 });
    const again = await run('consume.json', begin, { external_id });
    expect(again.items.get('Do the work')).toEqual(first.items.get('Do the work'));
    expect(again.headers.get('Consume')?.get('idempotent-replayed')).toBe('true');
    const entries = await app.get(`/wallet/entries?provider=n8n&external_id=${external_id}&kind=consume`);
    expect(entries.body.data).toMatchObject([{ amount: 2, action_id: 'prediction-17' }]);
  });

  it('says aloud that a key was used for something else, by its action', async () => {
    const external_id = newPerson();
    await grant(external_id, 10);
    await run('consume.json', begin, { external_id, id: 'row-1' });
    const reused = run(
      'consume.json',
      begin,
      { external_id, id: 'row-2' },
      { 'Make the key': { idempotency_key: 'prediction-row-1' } },
    );
    await expect(reused).rejects.toThrow(/422 .*idempotency_key_reused/);
  });

  it('tells why, where it is no want of units', async () => {
    const other = await app.post('/identify', { provider: 'n8n', external_id: newPerson() });
    const workflow = readWorkflow(`${FOLDER}consume.json`);
    const { bodyParameters } = nodeOf(workflow, 'Consume').parameters as { bodyParameters: { parameters: Json[] } };
    bodyParameters.parameters.push({ name: 'customer_id', value: other.body.customer_id });
    const { port } = app.app.server.address() as AddressInfo;
    const instead = { [begin]: { bursar_url: `http://127.0.0.1:${port}`, external_id: newPerson() } };
    const told = await runWorkflow(workflow, { token: API_TOKEN, instead });
    expect(told.items.get('Tell why')).toEqual({ code: 'selector_conflict', detail: expect.any(String) });
  });
});

describe('sell.json', () => {
  const begin = 'What is sold';

  it('orders, confirms and shows what the buyer has, once, however often it runs', async () => {
    const external_id = newPerson();
    const first = await run('sell.json', begin, { external_id, id: 'invoice-1' });
    expect(pathOf(first).slice(-6)).toEqual([
      'Ordered?',
      'The payment',
      'Confirm',
      'Paid?',
      'Wallet',
      'Thank the buyer',
    ]);
    expect(first.items.get('Thank the buyer')).toMatchObject({ balance: 100 });
    const again = await run('sell.json', begin, { external_id, id: 'invoice-1' });
    expect(again.items.get('Thank the buyer')).toEqual(first.items.get('Thank the buyer'));
    for (const name of ['Order', 'Confirm']) expect(again.headers.get(name)?.get('idempotent-replayed')).toBe('true');
  });

  it('tells why it does not order', async () => {
    const told = await run('sell.json', begin, { external_id: newPerson(), sku: 'GET_TEST_PREDICTION' });
    expect(pathOf(told).slice(-2)).toEqual(['Ordered?', 'Tell why']);
    expect(told.items.get('Tell why')).toEqual({ code: 'offer_exchange_only', detail: expect.any(String) });
  });

  it('tells why a payment does not count', async () => {
    const members = { external_id: newPerson(), id: 'invoice-2' };
    await run('sell.json', begin, members);
    const told = await run('sell.json', begin, members, { 'The payment': { payment_id: 'ch_another' } });
    expect(pathOf(told).slice(-2)).toEqual(['Paid?', 'Tell why']);
    expect(told.items.get('Tell why')).toEqual({ code: 'order_already_paid', detail: expect.any(String) });
  });
});
