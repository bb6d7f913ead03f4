// Service and application are killed in the middle of metered requests: nothing is charged twice, and nothing stays held.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Bursar, createBursar } from '../../clients/typescript/src/bursar.js';
import type { ChargeSettings, MeterSettings } from '../../clients/typescript/src/meter.js';
import { API_TOKEN, TEST_PEPPER } from '../support/app.js';
import { cleanUpProcesses, newDataDir, PROJECT_DIR, startBursar } from '../support/bursar-process.js';
import { useTestDatabase } from '../support/database.js';
import { type Framework, frameworks, serveMetered } from '../support/metered.js';
import { waitFor } from '../support/wait.js';

const USED = 35;
const charges: ChargeSettings<never> = { product_key: 'TOKENS', estimate: 60, usage: { field: 'used' } };
const [framework] = frameworks as [Framework];

cleanUpProcesses();
const database = useTestDatabase();

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** One address for a service that is started again on another port; while it is down, connections are closed. */
async function startRelay(): Promise<{ url: string; leadTo(target: string): void }> {
  let port = 0;
  const server = createServer((client) => {
    const service = connect(port, '127.0.0.1');
    const closeBoth = () => {
      client.destroy();
      service.destroy();
    };
    for (const socket of [client, service]) socket.once('error', closeBoth).once('close', closeBoth);
    client.pipe(service).pipe(client);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (target) => {
      port = Number(new URL(target).port);
    },
  };
}

/** Starts an application with a journal as a process; resolves once it listens. */
async function startApplication(url: string, journal: string): Promise<{ url: string; kill(): Promise<void> }> {
  const env = { ...process.env, VITEST: undefined, APP_BURSAR_URL: url, APP_TOKEN: API_TOKEN, APP_JOURNAL: journal };
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'test/support/metered-app.ts'], {
    cwd: PROJECT_DIR,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const listening = await waitFor('the application', () => {
    if (child.exitCode !== null) throw new Error(`the application ended with ${child.exitCode}`);
    return /http:\S+/.exec(output)?.[0];
  });
  return { url: listening, kill };
}

const ask = (url: string, session: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/work`, { method: 'POST', headers: { 'x-session': session, ...headers } });

async function untilTokens(bursar: Bursar, external_id: string, expected: object): Promise<void> {
  await waitFor(`the balance of ${external_id}`, async () => {
    const { available, held } = await bursar.getCreditsBalance({ external_id, product_key: 'TOKENS' });
    return held === 0 && JSON.stringify({ available }) === JSON.stringify(expected) ? true : undefined;
  });
}

it('charges once what was used, and lets lapse what nobody ended', async () => {
  const relay = await startRelay();
  const start = async () => {
    const env = {
      DATABASE_URL: database.url,
      BURSAR_DATA_DIR: newDataDir(),
      BURSAR_API_TOKEN: API_TOKEN,
      BURSAR_PEPPER: TEST_PEPPER,
    };
    const bursar = startBursar(env);
    relay.leadTo(await bursar.ready());
    return bursar;
  };
  const service = await start();
  const { url } = relay;
  const bursar = createBursar({ url, token: API_TOKEN, attempts: 1 });
  await bursar.putProduct({ key: 'TOKENS', name: 'Tokens', type: 'quantity', is_currency: true });
  const customers = ['closed', 'journalled', 'application', 'hanging'];
  for (const external_id of customers) await bursar.addCredits({ external_id, product_key: 'TOKENS', amount: 100 });

  let working = 0;
  let goOn = () => {};
  const killed = new Promise<void>((settle) => {
    goOn = settle;
  });
  const handler = async () => {
    working += 1;
    await killed;
    return { json: { used: USED } };
  };
  const serve = (settings: Partial<MeterSettings<unknown>>) =>
    serveMetered(framework, bursar, { charges, handler, settings });
  const closed = await serve({ fail: 'closed', ttlSeconds: 60 });
  const journal = join(newFolder(), 'journal');
  const open = await serve({ fail: 'open-with-journal', journal, resendMs: 10, ttlSeconds: 60 });
  const appJournal = join(newFolder(), 'journal');
  const first = await startApplication(url, appJournal);

  const answers = [closed.work('closed'), open.work('journalled')];
  await waitFor('both to work', () => (working === 2 ? true : undefined));
  service.signalGroup('SIGKILL');
  await service.groupEnded();
  goOn();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 200]);
  expect((await ask(first.url, 'application')).status).toBe(200);
  await first.kill();

  await start();
  await untilTokens(bursar, 'journalled', { available: 100 - USED });
  const second = await startApplication(url, appJournal);
  await untilTokens(bursar, 'application', { available: 100 - USED });
  const hanging = ask(second.url, 'hanging', { 'x-hang': 'yes' }).catch(() => 'cut');
  await waitFor('the hold', async () => {
    const { held } = await bursar.getCreditsBalance({ external_id: 'hanging', product_key: 'TOKENS' });
    return held > 0 ? true : undefined;
  });
  await second.kill();
  expect(await hanging).toBe('cut');
  await untilTokens(bursar, 'hanging', { available: 100 });
  const { data } = await bursar.listReservations({ external_id: 'closed', status: 'held' });
  const lifetimesMs = data.map((each) => Date.parse(each.expires_at) - Date.parse(each.created_at));
  expect(lifetimesMs).toEqual([60_000]);
  for (const [external_id, uses] of [
    ['closed', 0],
    ['journalled', 1],
    ['application', 1],
    ['hanging', 0],
  ] as const) {
    const entries = await bursar.listEntries({ external_id });
    expect(entries.data.filter(({ kind }) => kind === 'consume' || kind === 'commit')).toHaveLength(uses);
  }
});
