// Requests a minute: by key, by customer and by address, whose is decided by the proxies that are trusted; told apart from what a customer may use.
import type { FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../src/config.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { issueToken } from '../support/customer-tokens.js';
import { bearer, makeKey } from '../support/keys.js';
import { writtenBy } from '../support/requests.js';

const app = useTestApp();
const NONE = { perAddress: null, perKey: null, perCustomer: null };

async function start(settings: Partial<Config>): Promise<FastifyInstance> {
  const running = await startTestApp(app.url, app.clock, undefined, settings);
  onTestFinished(() => running.close());
  return running.app;
}

interface Sent {
  token?: string;
  path?: string;
  headers?: Record<string, string>;
  remoteAddress?: string;
}

async function ask(
  on: FastifyInstance,
  { token = API_TOKEN, path = '/products', headers = {}, remoteAddress = '192.0.2.1' }: Sent = {},
) {
  const answer = await on.inject({
    url: `${BASE_PATH}${path}`,
    headers: { ...bearer(token), ...headers },
    remoteAddress,
  });
  return { status: answer.statusCode, code: answer.json().code, after: answer.headers['retry-after'] };
}

async function statuses(count: number, send: () => Promise<{ status: number }>): Promise<number[]> {
  const got: number[] = [];
  for (let sent = 0; sent < count; sent += 1) got.push((await send()).status);
  return got;
}

describe('a key', () => {
  it('may ask so often a minute, whichever address it comes from, and others go on', async () => {
    const limited = await start({ rateLimits: { ...NONE, perKey: 3 } });
    const [one, other] = [await makeKey(app, ['read']), await makeKey(app, ['read'])];
    expect(await statuses(3, () => ask(limited, { token: one.token }))).toEqual([200, 200, 200]);
    const refused = await ask(limited, { token: one.token, remoteAddress: '192.0.2.9' });
    expect(refused).toMatchObject({
      status: 429,
      code: 'rate_limited',
      after: expect.stringMatching(/^([1-9]|[1-5]\d|60)$/),
    });
    expect((await ask(limited, { token: other.token })).status).toBe(200);
    expect((await ask(limited)).status).toBe(200);
    const { token } = (await app.post(`/api-keys/${one.id}/rotate`, {})).body;
    expect((await ask(limited, { token })).status).toBe(429);
  });

  it('is refused without a verdict, and nothing is done', async () => {
    await putProduct(app, 'RATED');
    await grantUnits(app, 'rated', 'RATED', 10);
    const limited = await start({ rateLimits: { ...NONE, perKey: 1 } });
    const { token } = await makeKey(app, ['consume']);
    const use = () =>
      limited.inject({
        method: 'POST',
        url: `${BASE_PATH}/quota/consume`,
        headers: bearer(token),
        payload: { external_id: 'rated', product_key: 'RATED', on_refusal: 'verdict' },
      });
    expect((await use()).statusCode).toBe(200);
    const written = await writtenBy(app, async () => {
      const answer = await use();
      expect([answer.statusCode, answer.json().code, answer.headers['content-type']]).toEqual([
        429,
        'rate_limited',
        'application/problem+json; charset=utf-8',
      ]);
    });
    expect(written).toEqual({});
  });
});

describe('a customer', () => {
  it('may ask so often a minute with all his tokens together; keys are not counted with him', async () => {
    const limited = await start({ rateLimits: { ...NONE, perCustomer: 2 } });
    const [ann, ben] = [await issueToken(app, 'ann'), await issueToken(app, 'ben')];
    const another = await issueToken(app, 'ann', { abilities: ['catalog.read'] });
    expect(await statuses(2, () => ask(limited, { token: ann }))).toEqual([200, 200]);
    expect((await ask(limited, { token: another })).status).toBe(429);
    expect((await ask(limited, { token: ben })).status).toBe(200);
    expect(await statuses(5, () => ask(limited))).toEqual([200, 200, 200, 200, 200]);
  });
});

describe('an address', () => {
  it('may ask so often a minute, with a token or without, also what there is not; probes are not counted', async () => {
    const limited = await start({ rateLimits: { ...NONE, perAddress: 3 } });
    expect((await ask(limited)).status).toBe(200);
    expect((await ask(limited, { token: 'wrong' })).status).toBe(401);
    expect((await ask(limited, { path: '/nowhere' })).status).toBe(404);
    expect(await ask(limited)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect((await ask(limited, { token: 'wrong' })).status).toBe(429);
    expect((await ask(limited, { remoteAddress: '192.0.2.2' })).status).toBe(200);
    const probe = await limited.inject({ url: '/health/live', remoteAddress: '192.0.2.1' });
    expect(probe.statusCode).toBe(200);
  });

  it('of IPv6 is its network', async () => {
    const limited = await start({ rateLimits: { ...NONE, perAddress: 1 } });
    expect((await ask(limited, { remoteAddress: '2001:db8:1:2::1' })).status).toBe(200);
    expect((await ask(limited, { remoteAddress: '2001:db8:1:2:ffff::9' })).status).toBe(429);
    expect((await ask(limited, { remoteAddress: '2001:db8:1:3::1' })).status).toBe(200);
  });

  const forwarded = (address: string) => ({ 'x-forwarded-for': address });

  it('is that of the connection, whatever a header says, where no proxy is trusted', async () => {
    const limited = await start({ rateLimits: { ...NONE, perAddress: 1 } });
    expect((await ask(limited, { headers: forwarded('198.51.100.1') })).status).toBe(200);
    expect((await ask(limited, { headers: forwarded('198.51.100.2') })).status).toBe(429);
  });

  it('is the last that no trusted proxy has, where the connection is a trusted proxy’s', async () => {
    const limited = await start({ rateLimits: { ...NONE, perAddress: 1 }, trustedProxies: ['192.0.2.0/24'] });
    expect((await ask(limited, { headers: forwarded('198.51.100.1') })).status).toBe(200);
    expect((await ask(limited, { headers: forwarded('198.51.100.1, 192.0.2.7') })).status).toBe(429);
    expect((await ask(limited, { headers: forwarded('203.0.113.5, 198.51.100.1') })).status).toBe(429);
    expect((await ask(limited, { headers: forwarded('198.51.100.2') })).status).toBe(200);
    const direct = { remoteAddress: '203.0.113.9' };
    expect((await ask(limited, { ...direct, headers: forwarded('198.51.100.3') })).status).toBe(200);
    expect((await ask(limited, { ...direct, headers: forwarded('198.51.100.4') })).status).toBe(429);
  });
});

describe('without limits', () => {
  it('nobody is counted, and no answer says how many are left', async () => {
    const { headers } = await app.app.inject({ url: `${BASE_PATH}/products`, headers: bearer(API_TOKEN) });
    expect(Object.keys(headers as Json).filter((name) => name.includes('ratelimit'))).toEqual([]);
  });
});
