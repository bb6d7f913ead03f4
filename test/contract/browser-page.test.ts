// The page for browsers (docs/browser/) as a customer opens it: in a real Chromium, from an origin of its own. It shows his wallet and orders for him; nobody
// else's wallet can be read from it, and nothing from a page of another origin. Where the machine has no Chromium it is skipped, and named so.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { findChromium } from '../support/chromium.js';
import { issueToken } from '../support/customer-tokens.js';
import { customerIdOf } from '../support/parallel.js';

const GIVE_UP_MS = 230_000;
const PAGE = readFileSync(fileURLToPath(new URL('../../docs/browser/wallet.html', import.meta.url)), 'utf8');
const executablePath = findChromium();
const app = useTestApp();

/** A site of its own: another port is another origin. */
async function startSite(): Promise<{ server: Server; origin: string }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const originOf = (server: { address(): unknown }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe.skipIf(executablePath === undefined)('the page for browsers (skipped without Chromium)', () => {
  let browser: Browser;
  let shop: Awaited<ReturnType<typeof startSite>>;
  let stranger: Awaited<ReturnType<typeof startSite>>;
  let running: Awaited<ReturnType<typeof startTestApp>>;
  let api: string;

  beforeAll(async () => {
    await putProduct(app, 'STAR', { is_currency: true });
    await putOffer(app, 'PACK', 'STAR', 5, { name: 'Five stars' });
    await grantUnits(app, 'ann', 'STAR', 7);
    await grantUnits(app, 'ben', 'STAR', 99);
    [shop, stranger] = [await startSite(), await startSite()];
    running = await startTestApp(app.url, app.clock, undefined, { corsOrigins: [shop.origin] });
    api = originOf(running.app.server);
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox'],
      timeout: GIVE_UP_MS,
    });
  });
  afterAll(async () => {
    await browser?.close();
    await running?.close();
    shop?.server.close();
    stranger?.server.close();
  });

  async function open(origin: string, token: string): Promise<Page> {
    const page = await browser.newPage();
    page.setDefaultTimeout(GIVE_UP_MS);
    await page.goto(`${origin}/#${new URLSearchParams({ api, token })}`);
    return page;
  }

  const untilSaid = async (page: Page, text: RegExp) => {
    await page.locator('#message').filter({ hasText: text }).waitFor();
    return page.locator('#message').innerText();
  };

  /** What a script of the page gets to read. */
  const read = (page: Page, path: string) =>
    page.evaluate(
      async ([url, token]) => {
        const answer = await fetch(url ?? '', { headers: { authorization: `Bearer ${token}` } });
        return { status: answer.status, body: (await answer.json()) as { code?: string } };
      },
      [`${api}/api/v1/billing${path}`, new URLSearchParams(new URL(page.url()).hash.slice(1)).get('token') ?? ''],
    );

  it('shows a customer his own wallet, and orders for him', async () => {
    const page = await open(shop.origin, await issueToken(app, 'ann'));
    expect(await untilSaid(page, /ready/)).toBe('ready');
    expect(await page.locator('#balances').innerText()).toMatch(/^STAR\s+7$/);
    await page.getByRole('button', { name: 'Five stars: 1.00 USD' }).click();
    const [, orderId] = /^order (\S+) is pending$/.exec(await untilSaid(page, /^order/)) ?? [];
    const order = await app.get(`/orders/${orderId}`);
    expect(order.body.customer_id).toBe(await customerIdOf(app, 'ann'));
  });

  it('can not read anybody else’s', async () => {
    const page = await open(shop.origin, await issueToken(app, 'ann'));
    await untilSaid(page, /ready/);
    const ben = await customerIdOf(app, 'ben');
    for (const path of [`/wallet?customer_id=${ben}`, '/wallet?external_id=ben', `/customers/${ben}`, '/customers']) {
      const { status, body } = await read(page, path);
      expect([path, status, body.code]).toEqual([path, 403, 'forbidden']);
    }
  });

  it('says so where the token does not allow it', async () => {
    const page = await open(shop.origin, await issueToken(app, 'ann', { abilities: ['wallet.read'] }));
    expect(await untilSaid(page, /forbidden/)).toContain('catalog.read');
  });

  it('gets nothing at all from another origin, even with the token', async () => {
    const page = await open(stranger.origin, await issueToken(app, 'ann'));
    expect(await untilSaid(page, /./)).toBe('Failed to fetch');
    await expect(read(page, '/wallet')).rejects.toThrow('Failed to fetch');
  });
});
