// One customer of a running service, asked over HTTP in the words of the workloads. Translates and remembers ids; judges only that a replay
// repeats the first answer byte for byte.
import { expect } from 'vitest';
import type { Json, TestApp } from '../support/app.js';
import { offers, products, type Subject, toPrice } from './catalogue.js';
import { nameOf, toConsumeBody, toHttp, toSubjectFields } from './http-requests.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  Facts,
  Holdings,
  Observed,
  Request,
  SubjectBalance,
} from './requests.js';
import type { System } from './workload.js';

const OK = 200;
const CREATED = 201;
/** Statuses of refusals that are answered as a verdict when one asks for it, and the routes where one can. */
const VERDICT_STATUSES = [402, 409, 429];
const VERDICT_PATHS = ['/grants', '/exchange', '/quota/consume'];

/** The answer of supertest as far as it is read here. */
interface Answer {
  status: number;
  text: string;
  body: Json & { code?: string };
  headers: Record<string, string | undefined>;
}

interface WireBatch {
  id: string;
  product_key: string;
  granted: number | null;
  available: number;
  consumed: number;
  expired: number;
  revoked: number;
  priority: number;
  valid_from: string;
  expires_at: string | null;
}

/** Puts the catalogue of the workloads into the app. */
export async function putCatalogue(app: TestApp): Promise<void> {
  for (const { key, type, isCurrency = false, costs } of products) {
    const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
    const answer = await app.put(`/products/${key}`, { name: key, type, is_currency: isCurrency, features });
    expect(answer.status, answer.text).toBe(CREATED);
  }
  for (const { sku, price, currency, isActive, items, trial } of offers) {
    const answer = await app.put(`/offers/${sku}`, {
      is_trial: trial?.isDefault === true,
      trial_policy: trial ? { scope: trial.scope } : null,
      name: sku,
      price: toPrice(price, currency),
      currency,
      is_active: isActive,
      items: items.map(({ product, quantity, unit, value, priority, stacking }) => ({
        product_key: product,
        quantity,
        period_unit: unit,
        period_value: value,
        priority,
        stacking,
      })),
    });
    expect(answer.status, answer.text).toBe(CREATED);
  }
  for (const { key, type, isActive, costs } of products) {
    if (isActive) continue;
    const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
    const answer = await app.put(`/products/${key}`, { name: key, type, features, is_active: false });
    expect(answer.status, answer.text).toBe(OK);
  }
}

/** Makes the system of a customer that nobody has seen, and its first rival; `name` must be new. */
export async function meetCustomer(app: TestApp, name: string): Promise<HttpCustomer> {
  const answer = await app.post('/identify', { external_id: name });
  expect(answer.body, answer.text).toMatchObject({ created_customer: true });
  await app.post('/identify', { external_id: nameOf('rival 1', name) }).expect(OK);
  return new HttpCustomer(app, name, answer.body.customer_id);
}

export class HttpCustomer implements System {
  readonly customerId: string;
  readonly #app: TestApp;
  readonly #name: string;
  readonly #places = new Map<string, number>();
  readonly #orderIds: string[] = [];
  /** The bytes of every accepted answer. */
  readonly #accepted = new Set<string>();
  #requests = 0;

  constructor(app: TestApp, name: string, customerId: string) {
    this.#app = app;
    this.#name = name;
    this.customerId = customerId;
  }

  setClock(now: number): void {
    this.#app.clock.set(new Date(now));
  }

  /** Every second request that can asks for a verdict; what is answered twice is so whichever was asked for. */
  async run(request: Request): Promise<Observed> {
    const { path, body } = toHttp(request, { customer: this.#name, orderIds: this.#orderIds });
    const headers: Record<string, string> = request.key === null ? {} : { 'idempotency-key': request.key };
    this.#requests += 1;
    const asksForVerdict = VERDICT_PATHS.includes(path) && this.#requests % 2 === 0;
    const sent = asksForVerdict ? { ...body, on_refusal: 'verdict' } : body;
    const answer: Answer = await this.#app.post(path, sent, headers);
    const isVerdict = answer.status === OK && answer.body.allowed === false;
    if (isVerdict || answer.status >= 400) {
      expect(isVerdict && !asksForVerdict, 'a verdict that nobody asked for').toBe(false);
      if (asksForVerdict) expect(VERDICT_STATUSES, answer.text).not.toContain(answer.status);
      return { outcome: 'refused', code: answer.body.code ?? answer.text, isVerdict };
    }
    const isReplay = answer.headers['idempotent-replayed'] === 'true';
    if (isReplay) expect(this.#accepted, 'the bytes of the first answer').toContain(answer.text);
    this.#accepted.add(answer.text);
    return { outcome: isReplay ? 'replayed' : 'accepted', facts: this.#toFacts(request, answer) };
  }

  #toFacts(request: Request, { body, status }: Answer): Facts {
    switch (request.kind) {
      case 'grant units':
      case 'grant offer':
      case 'migrate':
        return { batches: this.#toParts(body.batches) };
      case 'take away':
        expect(body.batches).toEqual([]);
        return { taken: this.#toTakings(body.taken) };
      case 'trial':
        return { batches: request.who === 'customer' ? this.#toParts(body.batches) : [] };
      case 'exchange': {
        const { product_key, amount } = body.spent as { product_key: string; amount: number };
        const balances = body.balances as Record<string, number>;
        return { spent: { [product_key]: amount }, batches: this.#toParts(body.batches), balances };
      }
      case 'identify':
        expect(body.customer_id === this.customerId).toBe(request.who === 'customer');
        return {
          profile: body.metadata as Record<string, number>,
          isTrialEligible: body.trial_eligible as boolean,
          isNew: body.created_customer as boolean,
        };
      case 'refer':
        expect(status).toBe(body.created ? CREATED : OK);
        return { isNew: body.created as boolean };
      case 'order':
        return { order: this.#orderPlaceOf(body.id), total: String(body.total_amount) };
      case 'confirm': {
        const batches = this.#toParts(body.batches ?? []);
        return { order: this.#orderPlaceOf(body.id), status: String(body.status), batches };
      }
      case 'consume':
        return { remaining: body.remaining as number | null, taken: this.#toTakings(body.taken) };
    }
  }

  async check(request: ConsumeRequest): Promise<CheckFacts | { code: string }> {
    const { body, status, text }: Answer = await this.#app.post('/quota/check', toConsumeBody(request, this.#name));
    if (status !== OK) return { code: body.code ?? text };
    return {
      allowed: body.allowed as boolean,
      wouldTake: this.#toTakings(body.would_take),
      remaining: body.remaining as number | null,
      allowedAt: toMs(body.allowed_at),
    };
  }

  async holdings(): Promise<Holdings> {
    const { body } = await this.#get('/wallet', {});
    const access = Object.entries(body.access as Record<string, { until: string | null }>);
    const features = Object.entries(body.features as Record<string, { can_use: boolean; remaining: number | null }>);
    expect(body.held).toEqual({});
    return {
      balances: body.balances as Record<string, number>,
      access: Object.fromEntries(access.map(([key, { until }]) => [key, { until: toMs(until) }])),
      features: Object.fromEntries(
        features.map(([name, { can_use, remaining }]) => [name, { canUse: can_use, remaining }]),
      ),
    };
  }

  async balanceOf(subject: Subject): Promise<SubjectBalance> {
    const { body } = await this.#get('/balance', toSubjectFields(subject));
    return {
      canUse: body.can_use as boolean,
      remaining: body.remaining as number | null,
      expiresAt: toMs(body.expires_at),
    };
  }

  async parts(): Promise<BatchParts[]> {
    const { body } = await this.#get('/wallet/batches', { limit: '200' });
    expect(body.next_cursor, 'one page shows every batch').toBeNull();
    return this.#toParts(body.data).sort((a, b) => a.batch - b.batch);
  }

  async statusOf(order: number): Promise<string> {
    const { body } = await this.#get(`/orders/${this.#orderIds[order]}`, undefined);
    return String(body.status);
  }

  /** `query` undefined asks without naming the customer. */
  async #get(path: string, query: Record<string, string> | undefined): Promise<Answer> {
    const parameters = query === undefined ? '' : `?${new URLSearchParams({ customer_id: this.customerId, ...query })}`;
    const answer: Answer = await this.#app.get(`${path}${parameters}`);
    expect(answer.status, answer.text).toBe(OK);
    return answer;
  }

  #placeOf(id: string): number {
    const place = this.#places.get(id) ?? this.#places.size;
    this.#places.set(id, place);
    return place;
  }

  #orderPlaceOf(id: unknown): number {
    if (!this.#orderIds.includes(String(id))) this.#orderIds.push(String(id));
    return this.#orderIds.indexOf(String(id));
  }

  #toTakings(takings: unknown) {
    return (takings as { batch_id: string; amount: number }[]).map(({ batch_id, amount }) => ({
      batch: this.#placeOf(batch_id),
      amount,
    }));
  }

  #toParts(batches: unknown): BatchParts[] {
    return (batches as WireBatch[]).map((batch) => ({
      batch: this.#placeOf(batch.id),
      product: batch.product_key,
      granted: batch.granted,
      priority: batch.priority,
      validFrom: Date.parse(batch.valid_from),
      expiresAt: toMs(batch.expires_at),
      available: batch.available,
      consumed: batch.consumed,
      expired: batch.expired,
      revoked: batch.revoked,
    }));
  }
}

function toMs(instant: unknown): number | null {
  return instant === null ? null : Date.parse(String(instant));
}
