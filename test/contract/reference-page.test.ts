// The API reference as people use it: a real Chromium, cut off from every other site, opens the page and sends what its forms are filled with.
// Where the machine has no Chromium, what needs one is skipped, and named so.
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { API_TOKEN, startTestApp, TestClock, useTestApp } from '../support/app.js';
import { findChromium } from '../support/chromium.js';

/** For what hangs; a busy machine takes minutes to open a page. */
const GIVE_UP_MS = 230_000;
const executablePath = findChromium();
const app = useTestApp();

describe.skipIf(executablePath === undefined)('the API reference in a browser (skipped without Chromium)', () => {
  let browser: Browser;
  let page: Page;
  let origin: string;
  /** What the page complained about, and what it asked other sites for. */
  const complaints: string[] = [];

  beforeAll(async () => {
    await fillEmptyCatalogue(app.deps, demoCatalogue);
    origin = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox'],
      timeout: GIVE_UP_MS,
    });
    page = await browser.newPage();
    page.setDefaultTimeout(GIVE_UP_MS);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.route('**/*', (route) => {
      const url = route.request().url();
      if (url.startsWith(origin) || url.startsWith('data:')) return route.continue();
      complaints.push(`asked for ${url}`);
      return route.abort();
    });
    await page.goto(`${origin}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.locator('.auth-container input').fill(API_TOKEN);
    await page.locator('.auth-container .authorize').click();
    await page.locator('.btn-done').click();
  });
  afterEach(() => {
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  /** Opens an operation, sends its form as it stands, and returns status and body of the answer. */
  async function send(operationId: string, fill?: (form: ReturnType<Page['locator']>) => Promise<void>) {
    const form = page.locator(`[id$="-${operationId}"]`);
    if ((await form.locator('.opblock-body').count()) === 0) await form.locator('.opblock-summary-control').click();
    await fill?.(form);
    const answered = page.waitForResponse((response) => response.url().includes('/api/v1/billing/'));
    await form.locator('.btn.execute').click();
    const response = await answered;
    return { status: response.status(), body: response.status() === 204 ? undefined : await response.json(), form };
  }

  it('is titled Bursar', async () => {
    expect(await page.title()).toBe('Bursar: API reference');
    expect(await page.locator('.info .title').innerText()).toContain('Bursar');
  });

  it('sends a POST as it stands', async () => {
    const { status, body } = await send('identify');
    expect([status, body]).toMatchObject([200, { external_id: 'alice' }]);
  });

  it('sends a GET as it stands', async () => {
    const { status, body } = await send('listOffers');
    expect([status, body]).toMatchObject([200, { data: [{ sku: 'CREDITS_100' }, { sku: 'VIP_MONTH' }] }]);
  });

  it('takes the id of an answer into the form of another operation', async () => {
    const { status, body } = await send('placeOrder');
    expect(status).toBe(201);
    const confirmed = await send('confirmOrder', (form) =>
      form.locator('tr[data-param-name="id"] input').fill(body.id),
    );
    expect([confirmed.status, confirmed.body]).toMatchObject([200, { status: 'paid' }]);
  });

  it('sends another example when it is chosen', async () => {
    const { status, body } = await send('grant', async (form) => {
      await form.locator('.opblock-section-request-body .examples-select select').selectOption('migration');
    });
    expect([status, body]).toMatchObject([201, { grant_type: 'migration' }]);
  });

  it('shows the problem of each code', async () => {
    const form = page.locator('[id$="-placeOrder"]');
    const row = form.locator('tr.response[data-code="404"]');
    expect(await row.locator('.example pre, .highlight-code').first().innerText()).toMatch(
      /"code": "customer_not_found"/,
    );
    await row.locator('.examples-select select').selectOption('offer_not_found');
    expect(await row.locator('.example pre, .highlight-code').first().innerText()).toMatch(/"code": "offer_not_found"/);
  });
});

describe('the API reference', () => {
  const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
  const paths = [
    '/docs',
    '/docs/',
    '/docs/json',
    '/docs/static/swagger-ui.css',
    '/docs/static/theme/bursar.css',
    '/openapi.json',
  ];

  it('is served to anybody with a policy that lets it load nothing from elsewhere', async () => {
    for (const path of paths) expect((await app.app.inject(path)).statusCode, path).toBe(200);
    const { headers, body } = await app.app.inject('/docs');
    expect(headers['content-security-policy']).toContain("default-src 'self';");
    expect(body).toContain('<title>Bursar: API reference</title>');
  });

  it('is there only for the token where it is configured so', async () => {
    const { app: guarded, close } = await startTestApp(app.url, new TestClock(), undefined, { docs: 'token' });
    try {
      for (const url of [...paths, '/docs/static/nothing.js']) {
        for (const authorization of [undefined, 'Bearer wrong', basic('wrong'), 'Basic %', basic('')]) {
          const refused = await guarded.inject({ url, headers: authorization === undefined ? {} : { authorization } });
          expect([refused.statusCode, refused.json().code], `${url} ${authorization}`).toEqual([
            401,
            'unauthenticated',
          ]);
          expect(refused.headers['www-authenticate']).toMatch(/^Basic realm="[^"]+", charset="UTF-8"$/);
        }
      }
      for (const url of paths) {
        for (const authorization of [`Bearer ${API_TOKEN}`, basic(API_TOKEN)])
          expect((await guarded.inject({ url, headers: { authorization } })).statusCode, url).toBe(200);
      }
      const api = await guarded.inject({
        url: '/api/v1/billing/products',
        headers: { authorization: basic(API_TOKEN) },
      });
      expect([api.statusCode, api.headers['www-authenticate']]).toEqual([401, 'Bearer realm="bursar"']);
    } finally {
      await close();
    }
  });

  it('is not there where it is switched off', async () => {
    const { app: without, close } = await startTestApp(app.url, new TestClock(), undefined, { docs: 'off' });
    try {
      for (const url of paths) {
        const answer = await without.inject({ url, headers: { authorization: `Bearer ${API_TOKEN}` } });
        expect([answer.statusCode, answer.json().code], url).toEqual([404, 'route_not_found']);
      }
    } finally {
      await close();
    }
  });
});
