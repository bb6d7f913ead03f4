// Payment providers: who may have sent a body, and what it tells, by signatures of their own libraries.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors/app-error.js';
import type { PaymentEvent, PaymentSource, SourceSignature } from '../../src/ledger/payment-entities.js';
import { parseMoney } from '../../src/lib/money.js';
import { createGeneric } from '../../src/payments/generic.js';
import type { Provider } from '../../src/payments/provider.js';
import { createStripe } from '../../src/payments/stripe.js';
import { createTelegram } from '../../src/payments/telegram.js';
import { createYookassa } from '../../src/payments/yookassa.js';
import {
  checkoutSession,
  OLD_STRIPE_SECRET,
  paymentIntent,
  preCheckout,
  type Signed,
  STALE_S,
  STANDARD_SECRET,
  STRIPE_SECRET,
  signedByHmac,
  signedByStandard,
  signedByStripe,
  starsPaid,
  stripeEvent,
  TELEGRAM_SECRET,
  telegramUpdate,
  yookassaNotification,
} from '../support/payments.js';

const ORDER = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const ADDRESS = '203.0.113.7';

async function verify(provider: Provider, { body, headers }: Signed, address = ADDRESS): Promise<PaymentEvent> {
  const [event] = await provider.verify({ raw: Buffer.from(body), headers, address });
  if (!event) throw new Error('there is no event');
  return event;
}

async function codeOf(provider: Provider, signed: Signed, address?: string): Promise<string> {
  try {
    await verify(provider, signed, address);
    return 'none';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe('Stripe', () => {
  const stripe = createStripe({
    webhookSecrets: [STRIPE_SECRET, OLD_STRIPE_SECRET],
    secretKey: undefined,
    apiUrl: undefined,
  });
  const told = (type: string, object: object) =>
    verify(stripe, signedByStripe(stripeEvent('evt_1', type, object as Record<string, unknown>)));

  it.each([
    ['the new', STRIPE_SECRET],
    ['the old', OLD_STRIPE_SECRET],
  ])('is believed when it signs by %s secret', async (_which, secret) => {
    const body = stripeEvent('evt_1', 'payment_intent.succeeded', paymentIntent('pi_1', ORDER));
    expect(await verify(stripe, signedByStripe(body, { secret }))).toEqual({
      eventId: 'evt_1',
      type: 'payment_intent.succeeded',
      kind: 'paid',
      orderRef: ORDER,
      subscriptionRef: null,
      paymentId: 'pi_1',
      refundId: null,
      disputeId: null,
      amount: parseMoney('1.00'),
      currency: 'USD',
      occurredAt: new Date(1_769_860_800_000),
    });
  });

  const body = stripeEvent('evt_1', 'payment_intent.succeeded', paymentIntent('pi_1', ORDER));
  const signed = signedByStripe(body);
  it.each<[string, Signed]>([
    ['by another secret', signedByStripe(body, { secret: 'whsec_other' })],
    ['long ago', signedByStripe(body, { ageS: STALE_S })],
    ['not at all', { ...signed, headers: {} }],
    ['by nothing readable', { ...signed, headers: { 'stripe-signature': 't=1,v1=' } }],
    ['with another body', { ...signed, body: body.replace('100', '1') }],
    ['by a secret that is empty', signedByStripe(body, { secret: ' ' })],
  ])('is not believed when it is signed %s', async (_how, sent) => {
    expect(await codeOf(stripe, sent)).toBe('invalid_signature');
  });

  it('is refused when it is signed and no JSON, or no event', async () => {
    expect(await codeOf(stripe, signedByStripe('{"id":'))).toBe('malformed_json');
    expect(await codeOf(stripe, signedByStripe('[]'))).toBe('invalid_request');
    expect(await codeOf(stripe, signedByStripe('{"object":"v2.core.event"}'))).toBe('invalid_request');
    expect(await codeOf(stripe, signedByStripe(stripeEvent('evt\u0000', 'a', {})))).toBe('invalid_request');
  });

  it.each<[string, object, Partial<PaymentEvent>]>([
    [
      'checkout.session.completed',
      checkoutSession('cs_1', 'pi_1', ORDER),
      { kind: 'paid', paymentId: 'pi_1', orderRef: ORDER },
    ],
    [
      'checkout.session.completed',
      checkoutSession('cs_1', 'pi_1', 'other', { metadata: { order_id: ORDER } }),
      { orderRef: ORDER },
    ],
    [
      'checkout.session.completed',
      checkoutSession('cs_1', 'pi_1', ORDER, { metadata: { order_id: 'shop-4711' } }),
      { orderRef: ORDER },
    ],
    ['checkout.session.completed', checkoutSession('cs_1', 'pi_1', 'shop-4711'), { orderRef: 'shop-4711' }],
    [
      'invoice.paid',
      {
        id: 'in_1',
        amount_paid: 500,
        currency: 'usd',
        metadata: { order_id: 'shop-4711', subscription_id: 'shop-5' },
        parent: { subscription_details: { metadata: { order_id: ORDER } } },
        lines: { data: [{ metadata: { subscription_id: ORDER.toUpperCase() } }] },
      },
      { orderRef: ORDER, subscriptionRef: ORDER.toUpperCase() },
    ],
    [
      'checkout.session.completed',
      checkoutSession('cs_1', 'pi_1', ORDER, { payment_status: 'unpaid' }),
      { kind: 'ignored' },
    ],
    [
      'checkout.session.completed',
      checkoutSession('cs_1', 'pi_1', ORDER, { mode: 'subscription' }),
      { kind: 'ignored' },
    ],
    ['checkout.session.async_payment_succeeded', checkoutSession('cs_1', 'pi_1', ORDER), { kind: 'paid' }],
    [
      'checkout.session.async_payment_failed',
      checkoutSession('cs_1', 'pi_1', ORDER, { payment_status: 'unpaid' }),
      { kind: 'failed' },
    ],
    [
      'checkout.session.expired',
      checkoutSession('cs_1', 'pi_1', ORDER, { payment_intent: null, payment_status: 'unpaid' }),
      { kind: 'expired', paymentId: null },
    ],
    ['payment_intent.payment_failed', paymentIntent('pi_1', ORDER), { kind: 'failed' }],
    ['payment_intent.canceled', paymentIntent('pi_1', ORDER), { kind: 'cancelled' }],
    ['payment_intent.succeeded', { id: 'pi_1', amount: 'many' }, { kind: 'unreadable' }],
    [
      'charge.refunded',
      { id: 'ch_1', payment_intent: 'pi_1', currency: 'usd', amount_refunded: 70 },
      { kind: 'refunded', paymentId: 'pi_1', refundId: null },
    ],
    [
      'refund.created',
      { id: 're_1', charge: 'ch_1', payment_intent: 'pi_1', amount: 30, currency: 'usd', status: 'succeeded' },
      { kind: 'refunded', refundId: 're_1', paymentId: 'pi_1', amount: parseMoney('0.30') },
    ],
    [
      'refund.updated',
      { id: 're_1', charge: 'ch_1', payment_intent: 'pi_1', amount: 30, currency: 'usd', status: 'pending' },
      { kind: 'ignored' },
    ],
    [
      'refund.failed',
      { id: 're_1', charge: 'ch_1', payment_intent: 'pi_1', amount: 30, currency: 'usd', status: 'failed' },
      { kind: 'refund_failed', refundId: 're_1' },
    ],
    [
      'charge.dispute.created',
      { id: 'dp_1', charge: 'ch_1', payment_intent: 'pi_1', amount: 100, currency: 'usd', status: 'needs_response' },
      { kind: 'dispute_opened', disputeId: 'dp_1' },
    ],
    [
      'charge.dispute.created',
      {
        id: 'dp_1',
        charge: 'ch_1',
        payment_intent: 'pi_1',
        amount: 100,
        currency: 'usd',
        status: 'warning_needs_response',
      },
      { kind: 'ignored' },
    ],
    [
      'charge.dispute.closed',
      { id: 'dp_1', charge: 'ch_1', payment_intent: 'pi_1', amount: 100, currency: 'usd', status: 'won' },
      { kind: 'dispute_won' },
    ],
    [
      'charge.dispute.closed',
      { id: 'dp_1', charge: 'ch_1', payment_intent: { id: 'pi_1' }, amount: 100, currency: 'usd', status: 'lost' },
      { kind: 'dispute_lost', paymentId: 'pi_1' },
    ],
    [
      'invoice.paid',
      {
        id: 'in_1',
        amount_paid: 500,
        currency: 'usd',
        parent: { subscription_details: { metadata: { subscription_id: 'sub' } } },
      },
      { kind: 'paid', paymentId: 'in_1', subscriptionRef: 'sub' },
    ],
    ['invoice.paid', { id: 'in_1', amount_paid: 0, currency: 'usd' }, { kind: 'ignored' }],
    ['customer.created', { id: 'cus_1' }, { kind: 'ignored' }],
    ['constructor', {}, { kind: 'ignored' }],
  ])('tells %s of %j', async (type, object, expected) => {
    expect(await told(type, object)).toMatchObject(expected);
  });

  it.each([
    ['usd', 123, '1.23'],
    ['jpy', 123, '123'],
    ['isk', 12_300, '123'],
    ['ugx', 12_300, '123'],
    ['huf', 12_345, '123.45'],
    ['twd', 12_345, '123.45'],
    ['vnd', 123, '123'],
    ['clp', 123, '123'],
    ['bhd', 1_230, '1.23'],
    ['mga', 123, '123'],
    ['kwd', 1_230, '1.23'],
    ['xtr', 5, null],
    ['zzz', 5, null],
  ])('counts %s in units of its own', async (currency, amount, expected) => {
    const intent = paymentIntent('pi_1', ORDER, { currency, amount_received: amount });
    const event = await told('payment_intent.succeeded', intent);
    expect(event.amount).toEqual(expected === null ? null : parseMoney(expected));
    expect(event.currency).toBe(currency.toUpperCase());
  });

  it.each(['constructor', '__proto__', 'toString', ''])('knows no status of a refund that is %j', async (status) => {
    const object = { id: 're_1', charge: 'ch_1', amount: 1, currency: 'usd', status };
    expect((await told('refund.updated', object)).kind).toBe('ignored');
  });

  it('asks nobody without a key: what needs it has no effect, or somebody looks at it', async () => {
    const cumulative = await told('charge.refunded', { id: 'ch_1', payment_intent: 'pi_1', currency: 'usd' });
    expect(await stripe.complete?.(cumulative)).toMatchObject([{ kind: 'ignored' }]);
    const invoice = await told('invoice.paid', { id: 'in_1', amount_paid: 500, currency: 'usd' });
    expect(await stripe.complete?.(invoice)).toMatchObject([{ kind: 'unreadable' }]);
  });
});

describe('Telegram', () => {
  const telegram = createTelegram({ secretTokens: [TELEGRAM_SECRET, 'the-secret-before'] });

  it.each([TELEGRAM_SECRET, 'the-secret-before'])('is believed with the secret %s', async (secret) => {
    const event = await verify(telegram, telegramUpdate(starsPaid(9, 'charge-1', ORDER, 25), secret));
    expect(event).toMatchObject({
      eventId: '9:charge-1',
      kind: 'paid',
      orderRef: ORDER,
      paymentId: 'charge-1',
      amount: parseMoney('25'),
      currency: 'XTR',
    });
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['another secret', { 'x-telegram-bot-api-secret-token': `${TELEGRAM_SECRET}.` }],
    ['another of the same length', { 'x-telegram-bot-api-secret-token': TELEGRAM_SECRET.replace(/.$/, '#') }],
    ['an empty one', { 'x-telegram-bot-api-secret-token': '' }],
  ])('is not believed with %s', async (_which, headers) => {
    const { body } = telegramUpdate(starsPaid(9, 'charge-1', ORDER, 25));
    expect(await codeOf(telegram, { body, headers })).toBe('invalid_signature');
  });

  it.each([
    ['CLP', '123'],
    ['ISK', '123'],
    ['UGX', '123'],
    ['VND', '123'],
    ['HUF', '1.23'],
    ['TWD', '1.23'],
    ['UZS', '1.23'],
  ])('counts %s as it has it', async (currency, amount) => {
    const update = JSON.stringify(starsPaid(9, 'charge-1', ORDER, 123)).replace('XTR', currency);
    expect((await verify(telegram, telegramUpdate(JSON.parse(update)))).amount).toBe(parseMoney(amount));
  });

  it('tells refunds, and nothing of other updates', async () => {
    const paid = starsPaid(9, 'charge-1', ORDER, 25) as { message: Record<string, unknown> };
    const { successful_payment: refunded_payment, ...message } = paid.message;
    const refund = await verify(telegram, telegramUpdate({ update_id: 10, message: { ...message, refunded_payment } }));
    expect(refund).toMatchObject({ kind: 'refunded', refundId: 'charge-1', paymentId: 'charge-1' });
    const chat = await verify(telegram, telegramUpdate({ update_id: 11, message: { ...message, text: 'hello' } }));
    expect(chat.kind).toBe('ignored');
    const edited = await verify(telegram, telegramUpdate({ update_id: 12, edited_message: message }));
    expect(edited.kind).toBe('ignored');
    const odd = telegramUpdate({ update_id: 13, message: { ...message, successful_payment: { currency: 'XTR' } } });
    expect((await verify(telegram, odd)).kind).toBe('unreadable');
    expect(await codeOf(telegram, telegramUpdate({ message }))).toBe('invalid_request');
  });

  const order = { status: 'pending', totalAmount: parseMoney('25'), currency: 'XTR' };
  it.each([
    ['an order that waits', order, 25, true, undefined],
    ['one that is paid', { ...order, status: 'paid' }, 25, false, /paid already/],
    ['one that expired', { ...order, status: 'expired' }, 25, false, /not open/],
    ['one of another price', order, 24, false, /another one/],
    ['one in another currency', { ...order, currency: 'USD' }, 25, false, /another one/],
    ['none', undefined, 25, false, /not known/],
  ])('is answered before it charges for %s', async (_what, found, stars, ok, text) => {
    const raw = Buffer.from(telegramUpdate(preCheckout(ORDER, stars)).body);
    const answer = await telegram.answer?.(raw, async () => found);
    expect(answer).toMatchObject({ method: 'answerPreCheckoutQuery', pre_checkout_query_id: 'query-1', ok });
    if (text) expect(answer).toMatchObject({ error_message: expect.stringMatching(text) });
  });

  it('is answered in words when the order can’t be looked up', async () => {
    const raw = Buffer.from(telegramUpdate(preCheckout(ORDER, 25)).body);
    const answer = await telegram.answer?.(raw, () => Promise.reject(new Error('the database is away')));
    expect(answer).toMatchObject({ ok: false, error_message: expect.stringMatching(/try again/) });
  });
});

describe('YooKassa', () => {
  const settings = { shopId: '1', secretKey: 'k', apiUrl: 'http://127.0.0.1:1', networks: undefined };
  const yookassa = createYookassa(settings);
  const signed = {
    body: yookassaNotification('payment.succeeded', '22d6d597-000f-5000-9000-145f6df21d6f'),
    headers: {},
  };

  it.each(['185.71.76.1', '::ffff:77.75.156.11', '2a02:5180::1'])('is listened to from %s', async (address) => {
    expect(await verify(yookassa, signed, address)).toMatchObject({
      eventId: 'payment.succeeded:22d6d597-000f-5000-9000-145f6df21d6f',
      kind: 'paid',
      amount: null,
      orderRef: null,
    });
  });

  it.each(['185.71.76.32', '203.0.113.7', '::1', 'unknown'])('is not listened to from %s', async (address) => {
    expect(await codeOf(yookassa, signed, address)).toBe('invalid_signature');
  });

  it('keeps what waits for its capture, and knows refunds', async () => {
    const address = '185.71.76.1';
    const waiting = yookassaNotification('payment.waiting_for_capture', 'p-1');
    expect((await verify(yookassa, { body: waiting, headers: {} }, address)).kind).toBe('ignored');
    const refund = yookassaNotification('refund.succeeded', 'r-1');
    expect(await verify(yookassa, { body: refund, headers: {} }, address)).toMatchObject({
      kind: 'refunded',
      refundId: 'r-1',
      paymentId: null,
    });
    for (const type of ['constructor', '__proto__', 'toString']) {
      const odd = yookassaNotification(type, 'p-1');
      expect((await verify(yookassa, { body: odd, headers: {} }, address)).kind).toBe('ignored');
    }
    const path = yookassaNotification('payment.succeeded', '../refunds/1');
    expect(await codeOf(yookassa, { body: path, headers: {} }, address)).toBe('invalid_request');
  });
});

describe('a source', () => {
  const at = new Date('2026-01-31T12:00:00.000Z');
  const source = (signature: SourceSignature, mapping: Partial<PaymentSource['mapping']> = {}): PaymentSource => ({
    name: 'shop',
    description: '',
    isEnabled: true,
    paymentMethod: 'shop',
    signature,
    mapping: {
      eventId: '/id',
      type: null,
      orderId: '/data/order',
      subscriptionId: null,
      paymentId: '/data/charge',
      refundId: null,
      disputeId: null,
      amount: '/data/amount',
      amountUnit: 'major',
      currency: '/data/currency',
      status: '/status',
      statuses: { ok: 'paid', no: 'failed' },
      ...mapping,
    },
    sealedSecret: '',
    oldSealedSecret: null,
    oldSecretUntil: null,
    createdAt: at,
    updatedAt: at,
  });
  const data = { order: ORDER, charge: 4711, amount: '9.99', currency: 'eur' };
  const body = JSON.stringify({ id: 'e-1', status: 'ok', data });
  const hmac = (encoding: 'hex' | 'base64', prefix = ''): SourceSignature => ({
    scheme: 'hmac_sha256',
    header: 'x-signature',
    encoding,
    prefix,
  });

  it.each<[string, SourceSignature, (secret: string) => Signed]>([
    ['HMAC in hexadecimal', hmac('hex'), (secret) => signedByHmac(body, secret, 'hex')],
    ['HMAC with a prefix', hmac('hex', 'sha256='), (secret) => signedByHmac(body, secret, 'hex', 'sha256=')],
    ['HMAC in base64', hmac('base64'), (secret) => signedByHmac(body, secret, 'base64')],
    ['Standard Webhooks', { scheme: 'standard_webhooks' }, (secret) => signedByStandard(body, 'm-1', { secret })],
  ])('is believed when it signs by %s with either secret, and by no other', async (_how, signature, sign) => {
    const secrets = [STANDARD_SECRET, 'whsec_YWJjZGVmYWJjZGVmYWJjZGVmYWJjZGVm'];
    const provider = createGeneric(source(signature), secrets);
    for (const secret of secrets) {
      expect(await verify(provider, sign(secret))).toMatchObject({
        eventId: 'e-1',
        kind: 'paid',
        orderRef: ORDER,
        paymentId: '4711',
        amount: parseMoney('9.99'),
        currency: 'EUR',
      });
    }
    const other = sign('whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy');
    expect(await codeOf(provider, other)).toBe('invalid_signature');
    expect(await codeOf(provider, { ...other, headers: {} })).toBe('invalid_signature');
    const changed = sign(STANDARD_SECRET);
    expect(await codeOf(provider, { ...changed, body: body.replace('9.99', '0.99') })).toBe('invalid_signature');
  });

  it('by Standard Webhooks is not believed when it signed long ago', async () => {
    const provider = createGeneric(source({ scheme: 'standard_webhooks' }), [STANDARD_SECRET]);
    expect(await codeOf(provider, signedByStandard(body, 'm-1', { ageS: STALE_S }))).toBe('invalid_signature');
  });

  const told = (mapping: Partial<PaymentSource['mapping']>, text = body) =>
    verify(createGeneric(source(hmac('hex'), mapping), ['k']), signedByHmac(text, 'k', 'hex'));

  it('says in pointers what its bodies mean', async () => {
    expect(await told({ currency: 'USD' })).toMatchObject({ currency: 'USD' });
    expect(await told({ statuses: {} })).toMatchObject({ kind: 'ignored', type: 'ok' });
    expect(await told({ status: '/nothing' })).toMatchObject({ kind: 'unreadable' });
    expect(await told({ amount: '/data/order' })).toMatchObject({ kind: 'paid', amount: null });
    const minor = body.replace('"9.99"', '999');
    expect(await told({ amountUnit: 'minor' }, minor)).toMatchObject({ amount: parseMoney('9.99') });
    expect(await told({ amountUnit: 'minor', currency: 'JPY' }, minor)).toMatchObject({ amount: parseMoney('999') });
    expect(await told({ amount: '/a~1b/~0/0' }, body.replace('"id"', '"a/b":{"~":["1.5"]},"id"'))).toMatchObject({
      amount: parseMoney('1.5'),
    });
    const list = body.replace('"id"', '"list":["9.99", 7],"id"');
    expect(await told({ amount: '/list/0', paymentId: '/list/length' }, list)).toMatchObject({
      amount: parseMoney('9.99'),
      paymentId: null,
    });
    expect(await told({ paymentId: '/list/01' }, list)).toMatchObject({ paymentId: null });
    await expect(told({ eventId: '/__proto__' })).rejects.toThrow('no id');
    expect(await told({ paymentId: '/constructor/name', refundId: '/status/length' })).toMatchObject({
      paymentId: null,
      refundId: null,
    });
    await expect(told({}, '{')).rejects.toThrow('not well-formed');
  });

  it('by Standard Webhooks may name the event in the header', async () => {
    const provider = createGeneric(source({ scheme: 'standard_webhooks' }, { eventId: null }), [STANDARD_SECRET]);
    expect((await verify(provider, signedByStandard(body, 'm-1'))).eventId).toBe('m-1');
  });
});
