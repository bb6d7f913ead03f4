// Webhooks are verified by their raw body, and never without a secret.
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { verifyWebhook, WebhookRefused } from '../../clients/typescript/src/webhooks.js';

const SECRET = `whsec_${Buffer.from('a secret that only these tests use').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another secret of these tests only').toString('base64')}`;
const BODY = JSON.stringify({ id: '1', type: 'batch.granted', data: { name: 'Zoë' } });
const MINUTE_MS = 60_000;

function signed(secret: string, body = BODY, agoMs = 0): Record<string, string> {
  const at = new Date(Date.now() - agoMs);
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  };
}

describe('a webhook', () => {
  it('is read from text or bytes, with headers of Node or of fetch', () => {
    expect(verifyWebhook(SECRET, signed(SECRET), BODY)).toEqual(JSON.parse(BODY));
    expect(verifyWebhook(SECRET, new Headers(signed(SECRET)), Buffer.from(BODY))).toEqual(JSON.parse(BODY));
  });

  it('is read while secrets rotate, on either side', () => {
    expect(verifyWebhook([OTHER, SECRET], signed(SECRET), BODY)).toEqual(JSON.parse(BODY));
    const both = signed(SECRET);
    both['webhook-signature'] = `${signed(OTHER)['webhook-signature']} ${both['webhook-signature']}`;
    expect(verifyWebhook(SECRET, both, BODY)).toEqual(JSON.parse(BODY));
  });

  it.each([
    ['another secret', signed(OTHER), BODY],
    ['another body', signed(SECRET), BODY.replace('Zoë', 'Zoe')],
    ['the same JSON, written anew', signed(SECRET), JSON.stringify(JSON.parse(BODY), null, 1)],
    ['an old message', signed(SECRET, BODY, 6 * MINUTE_MS), BODY],
    ['no headers', {}, BODY],
    ['no JSON', signed(SECRET, 'text'), 'text'],
    ['bytes that are no text', signed(SECRET), Uint8Array.of(0xff, 0xfe)],
  ])('is refused: %s', (_what, headers, body) => {
    expect(() => verifyWebhook(SECRET, headers, body)).toThrow(WebhookRefused);
  });

  it.each([[''], [[]], [['']]])('is not verified without a secret: %j', (secrets) => {
    expect(() => verifyWebhook(secrets, signed(SECRET), BODY)).toThrow(TypeError);
  });

  it('is not verified by what a parser made of it', () => {
    expect(() => verifyWebhook(SECRET, signed(SECRET), JSON.parse(BODY))).toThrow('raw body');
  });
});
