// Where webhooks go: the address that is connected to is the one that was checked, whatever a name says next.
import { afterEach, describe, expect, it } from 'vitest';
import { createPoster, type Guard, isPublicAddress, publicOnly } from '../../src/lib/guarded-http.js';
import { seal, unseal } from '../../src/lib/sealed.js';
import { readSecretKeys } from '../../src/lib/secret-keys.js';
import { isWebhookSecret, makeWebhookSecret } from '../../src/lib/webhook-signature.js';
import { retryAfterMs } from '../../src/webhooks/attempt.js';
import { cleanUpReceivers, startReceiver } from '../support/receiver.js';
import { waitFor } from '../support/wait.js';

cleanUpReceivers();
const posters: ReturnType<typeof createPoster>[] = [];
afterEach(async () => {
  for (const poster of posters.splice(0)) await poster.close();
});

/** 127.0.0.1 plays a public address; every name resolves to what the test says next. */
function posterOf(...answers: string[][]) {
  let asked = 0;
  const guard: Guard = {
    isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
    areAllPortsAllowed: true,
    resolve: (_host, done) => {
      const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  };
  const poster = createPoster(guard);
  posters.push(poster);
  return { poster, asked: () => asked };
}

const headers = { 'content-type': 'application/json', connection: 'close' };

describe('an address', () => {
  it.each(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it.each([
    ...['127.0.0.1', '10.0.0.1', '172.31.255.255', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::a00:1', '2002:7f00:1::', 'nonsense', ''],
    // IPv4 in IPv6 of other kinds, what was local before, and what is not given out.
    ...[
      '::127.0.0.1',
      '::7f00:1',
      '::10.0.0.1',
      '::ffff:0:127.0.0.1',
      '64:ff9b:1::a00:1',
      'fec0::1',
      '5f00::1',
      '4000::1',
    ],
    ...[
      '2001::1',
      '2001:db8::1',
      '3fff::1',
      '100::1',
      '::ffff:0:10.0.0.1',
      '1::',
      'fe80::1%1',
      '192.88.99.1',
      '240.0.0.1',
    ],
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a request', () => {
  it('goes to the address that was checked', async () => {
    const receiver = await startReceiver();
    const { poster, asked } = posterOf(['127.0.0.1']);
    const outcome = await poster.post(`http://hook.test:${receiver.port}/`, headers, '{}');
    expect(outcome).toMatchObject({ status: 204, error: null });
    expect(asked()).toBe(1);
  });

  it('is refused when a name changes its answer to a local address', async () => {
    const receiver = await startReceiver();
    const { poster } = posterOf(['127.0.0.1'], ['127.0.0.2']);
    const url = `http://hook.test:${receiver.port}/`;
    receiver.answerBy((outgoing) => outgoing.writeHead(204, { connection: 'close' }).end());
    expect(await poster.post(url, headers, '{}')).toMatchObject({ status: 204 });
    expect(await poster.post(url, headers, '{}')).toMatchObject({ status: null, error: 'address_refused' });
    expect(receiver.received).toHaveLength(1);
  });

  it('asks once for a name for which others ask already', async () => {
    const receiver = await startReceiver();
    const asked: string[] = [];
    const asking: (() => void)[] = [];
    const poster = createPoster({
      isAllowed: () => true,
      areAllPortsAllowed: true,
      resolve: (host, done) => {
        asked.push(host);
        asking.push(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
      },
    });
    posters.push(poster);
    const post = (host: string) => poster.post(`http://${host}:${receiver.port}/`, headers, '{}');
    const slow = [post('slow.test'), post('slow.test'), post('slow.test')];
    const other = post('other.test');
    await waitFor('the other name', () => asked.includes('other.test') || undefined);
    expect(asked).toEqual(['slow.test', 'other.test']);
    for (const answer of asking.splice(0)) answer();
    for (const outcome of await Promise.all([...slow, other])) expect(outcome).toMatchObject({ status: 204 });
    const again = post('slow.test');
    await waitFor('it to be asked for anew', () => asking.length === 1 || undefined);
    asking[0]?.();
    expect(await again).toMatchObject({ status: 204 });
  });

  it('is refused when any address of a name is local', async () => {
    const { poster } = posterOf(['8.8.8.8', '10.0.0.1']);
    expect(await poster.post('http://hook.test:8000/', headers, '{}')).toMatchObject({ error: 'address_refused' });
  });

  it('is refused to localhost, as the system resolves it', async () => {
    const poster = createPoster(publicOnly);
    posters.push(poster);
    expect(await poster.post('http://localhost:8000/', headers, '{}')).toMatchObject({ error: 'address_refused' });
    expect(await poster.post('http://127.0.0.1:8000/', headers, '{}')).toMatchObject({ error: 'address_refused' });
  });

  it('that nobody answers ends', async () => {
    const receiver = await startReceiver();
    receiver.answerBy(() => undefined);
    const { isAllowed } = { isAllowed: () => true };
    const poster = createPoster({ isAllowed, areAllPortsAllowed: true }, 50);
    posters.push(poster);
    expect(await poster.post(receiver.url, headers, '{}')).toMatchObject({ status: null, error: 'timeout' });
  });
});

describe('a sealed secret', () => {
  const keys = readSecretKeys('the-first-of-the-keys-of-this-test, the-second-of-the-keys-of-this-test');
  const mine = { purpose: 'a test', owner: 'a' };

  it('opens by any of the keys, for its own purpose and owner alone, unchanged', () => {
    const sealed = seal(keys, mine, 'whsec_x');
    expect(sealed).not.toContain('whsec');
    expect(seal(keys, mine, 'whsec_x')).not.toBe(sealed);
    expect(unseal([...keys].reverse(), mine, sealed)).toBe('whsec_x');
    expect(() => unseal(keys, { ...mine, owner: 'b' }, sealed)).toThrow();
    expect(() => unseal(keys, { ...mine, purpose: 'another' }, sealed)).toThrow();
    expect(() => unseal(keys.slice(1), mine, sealed)).toThrow('which BURSAR_SECRET_KEY does not have');
    const [id, body = ''] = sealed.split('.');
    const changed = Buffer.from(body, 'base64');
    changed[14] = (changed[14] ?? 0) ^ 1;
    expect(() => unseal(keys, mine, `${id}.${changed.toString('base64')}`)).toThrow();
  });
});

describe('a secret of webhooks', () => {
  it('is whsec_ and the base64 of 24 to 64 bytes', () => {
    expect(isWebhookSecret(makeWebhookSecret())).toBe(true);
    for (const bytes of [24, 64]) expect(isWebhookSecret(`whsec_${Buffer.alloc(bytes).toString('base64')}`)).toBe(true);
    for (const bytes of [23, 65])
      expect(isWebhookSecret(`whsec_${Buffer.alloc(bytes).toString('base64')}`)).toBe(false);
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-11-28T12:00:00Z');
  it.each<[string | null, number]>([
    [null, 0],
    ['120', 120_000],
    ['Sat, 28 Nov 2026 12:01:00 GMT', 60_000],
    ['Sat, 28 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 86_400_000],
    ['soon', 0],
    ['-5', 0],
  ])('%s is %i ms', (value, ms) => {
    expect(retryAfterMs(value, now)).toBe(ms);
  });
});
