// One customer of a running service, asked over HTTP in the words of the workloads. Translates and remembers ids; judges only that a replay
// repeats the first answer byte for byte.
import { expect } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import type { TestApp } from '../support/app.js';
import type { Auditor } from '../support/audit.js';
import type { Subject } from './catalogue.js';
import {
  type Answer,
  HttpFacts,
  toMergeFacts,
  toMs,
  toOverLimits,
  toStanding,
  type WireReservation,
} from './http-facts.js';
import { nameOf, toConsumeBody, toHttp, toSubjectFields } from './http-requests.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  CreditsState,
  Holdings,
  LimitsAgainst,
  Observed,
  OrderStanding,
  Past,
  Request,
  ReservationState,
  ReserveRequest,
  SubjectBalance,
} from './requests.js';
import type { Family, System } from './system.js';

const OK = 200;
const TOO_MANY = 429;
/** Statuses of refusals that are answered as a verdict when one asks for it, and the routes that know none. */
const VERDICT_STATUSES = [402, 409, 429];
const NEVER_REFUSED = ['/identify', '/quota/consume/batch'];
const PAGE_MAX = '200';
const WEEK_S = 7 * 24 * 3_600;

/** Makes the system of a customer that nobody has seen, and its first rival; `name` must be new. */
export async function meetCustomer(app: TestApp, auditor: Auditor, name: string): Promise<HttpCustomer> {
  const answer = await app.post('/identify', { external_id: name });
  expect(answer.body, answer.text).toMatchObject({ created_customer: true });
  await app.post('/identify', { external_id: nameOf('rival 1', name) }).expect(OK);
  return new HttpCustomer(app, auditor, name, answer.body.customer_id);
}

type Query = Record<string, string>;

export class HttpCustomer implements System {
  readonly family: Family;
  readonly customerId: string;
  readonly #app: TestApp;
  readonly #auditor: Auditor;
  readonly #name: string;
  #facts: HttpFacts;
  /** The bytes of every accepted answer. */
  readonly #accepted: Set<string>;
  #requests = 0;
  /** Whether what he does may make batches of whom an answer does not tell, in the ledger of another. */
  #isMerged = false;

  /** By another name of his where `like` is given. */
  constructor(app: TestApp, auditor: Auditor, name: string, customerId: string, like?: HttpCustomer) {
    this.#app = app;
    this.#auditor = auditor;
    this.#name = name;
    this.customerId = customerId;
    this.#facts = like ? like.#facts : new HttpFacts(customerId);
    this.#accepted = like ? like.#accepted : new Set();
    this.#isMerged = like !== undefined;
    this.family = {
      meetOther: () => this.#meetOther(),
      merge: (other) => this.#merge(other as HttpCustomer),
      byNameOf: (other) => new HttpCustomer(app, auditor, (other as HttpCustomer).#name, customerId, this),
    };
  }

  async #meetOther(): Promise<HttpCustomer> {
    const other = await meetCustomer(this.#app, this.#auditor, `${this.#name}, otherwise`);
    other.#facts = new HttpFacts(other.customerId, this.#facts.shared);
    return other;
  }

  async #merge(other: HttpCustomer): ReturnType<Family['merge']> {
    const body = { target_customer_id: this.customerId, source_customer_id: other.customerId };
    const answer: Answer = await this.#app.post('/customers/merge', body);
    expect(answer.status, answer.text).toBe(OK);
    this.#isMerged = true;
    other.#isMerged = true;
    await this.parts();
    const isReplay = answer.headers['idempotent-replayed'] === 'true';
    return { outcome: isReplay ? 'replayed' : 'accepted', facts: toMergeFacts(answer.body) };
  }

  setClock(now: number): void {
    this.#app.clock.set(new Date(now));
  }

  /** Every second request that can asks for a verdict; what is answered twice is so whichever was asked for. */
  async run(request: Request): Promise<Observed> {
    const { method = 'post', path, body } = toHttp(request, { customer: this.#name, ...this.#facts.names() });
    const headers: Record<string, string> = request.key === null ? {} : { 'idempotency-key': this.#keyOf(request) };
    this.#requests += 1;
    const asksForVerdict = method === 'post' && !NEVER_REFUSED.includes(path) && this.#requests % 2 === 0;
    const sent = asksForVerdict ? { ...body, on_refusal: 'verdict' } : body;
    const answer: Answer =
      method === 'delete' ? await this.#app.delete(path, headers) : await this.#app[method](path, sent, headers);
    const isVerdict = answer.status === OK && answer.body.allowed === false;
    if (isVerdict || answer.status >= 400) {
      expect(isVerdict && !asksForVerdict, 'a verdict that nobody asked for').toBe(false);
      if (asksForVerdict) expect(VERDICT_STATUSES, answer.text).not.toContain(answer.status);
      return { outcome: 'refused', code: answer.body.code ?? answer.text, isVerdict, limits: limitsAgainst(answer) };
    }
    if (this.#isMerged) await this.parts();
    const isReplay = answer.headers['idempotent-replayed'] === 'true';
    if (isReplay) expect(this.#accepted, 'the bytes of the first answer').toContain(answer.text);
    this.#accepted.add(answer.text);
    if (request.kind === 'consume batch') for (const bytes of itemsOf(answer)) this.#accepted.add(bytes);
    return { outcome: isReplay ? 'replayed' : 'accepted', facts: this.#facts.of(request, answer) };
  }

  /** The key of a batch of uses is about no customer, and so everybody's. */
  #keyOf({ kind, key }: Request): string {
    return kind === 'consume batch' ? `${this.#name}/${key}` : String(key);
  }

  async check(request: ConsumeRequest | ReserveRequest): Promise<CheckFacts | { code: string }> {
    const { body, status, text }: Answer = await this.#app.post('/quota/check', toConsumeBody(request, this.#name));
    if (status !== OK) return { code: body.code ?? text };
    return {
      allowed: body.allowed as boolean,
      wouldTake: this.#facts.takings(body.would_take),
      remaining: body.remaining as number | null,
      violations: toOverLimits(body.violations),
      warnings: toOverLimits(body.warnings),
      allowedAt: toMs(body.allowed_at),
    };
  }

  async sweep(): Promise<void> {
    await sweep(this.#app.deps);
  }

  async holdings(asOf: Query = {}): Promise<Holdings> {
    const { body } = await this.#get('/wallet', asOf);
    const access = Object.entries(body.access as Record<string, { until: string | null }>);
    const features = Object.entries(body.features as Record<string, { can_use: boolean; remaining: number | null }>);
    return {
      balances: body.balances as Record<string, number>,
      upcoming: body.upcoming as Record<string, number>,
      held: body.held as Record<string, number>,
      access: Object.fromEntries(access.map(([key, { until }]) => [key, { until: toMs(until) }])),
      features: Object.fromEntries(
        features.map(([name, { can_use, remaining }]) => [name, { canUse: can_use, remaining }]),
      ),
    };
  }

  async balanceOf(subject: Subject, asOf: Query = {}): Promise<SubjectBalance> {
    const { body } = await this.#get('/balance', { ...toSubjectFields(subject), ...asOf });
    return {
      canUse: body.can_use as boolean,
      remaining: body.remaining as number | null,
      expiresAt: toMs(body.expires_at),
    };
  }

  async creditsOf(product: string): Promise<CreditsState> {
    const { body } = await this.#get('/credits/balance', { product_key: product });
    const { balance, available, held, owed } = body as Record<keyof CreditsState, number>;
    const within = { product_key: product, within: String(WEEK_S) };
    const { data } = (await this.#get('/credits/expiring', within)).body;
    return { balance, available, held, owed, expiring: this.#facts.takings(data) };
  }

  async parts(asOf: Query = {}): Promise<BatchParts[]> {
    const { body } = await this.#get('/wallet/batches', { limit: PAGE_MAX, ...asOf });
    expect(body.next_cursor, 'one page shows every batch').toBeNull();
    return this.#facts.allParts(body.data);
  }

  async reservations(): Promise<ReservationState[]> {
    const { body } = await this.#get('/reservations', { limit: PAGE_MAX });
    expect(body.next_cursor, 'one page shows every reservation').toBeNull();
    const reservations = (body.data as WireReservation[]).map((wire) => this.#facts.reservation(wire));
    return reservations.sort((a, b) => a.place - b.place);
  }

  async standingOf(order: number): Promise<OrderStanding> {
    const { body } = await this.#get(`/orders/${this.#facts.names().orderIds[order]}`, undefined);
    return toStanding(body);
  }

  async at(instant: number, subject: Subject): Promise<Partial<Past>> {
    const asOf = { as_of: new Date(instant).toISOString() };
    const [parts, holdings, balance] = await Promise.all([
      this.parts(asOf),
      this.holdings(asOf),
      this.balanceOf(subject, asOf),
    ]);
    return { parts, holdings, balance };
  }

  async audit(): Promise<void> {
    await this.#auditor.audit(this.customerId);
  }

  /** `query` undefined asks without naming the customer. */
  async #get(path: string, query: Query | undefined): Promise<Answer> {
    const parameters = query === undefined ? '' : `?${new URLSearchParams({ customer_id: this.customerId, ...query })}`;
    const answer: Answer = await this.#app.get(`${path}${parameters}`);
    expect(answer.status, answer.text).toBe(OK);
    return answer;
  }
}

/** Of a verdict no header tells when to try again. */
function limitsAgainst({ status, body, headers }: Answer): LimitsAgainst {
  const after = headers['retry-after'];
  const retryAfterS = after === undefined ? null : Number(after);
  return {
    violations: toOverLimits(body.violations ?? []),
    ...(status === TOO_MANY && body.code === 'limit_exceeded' && { retryAfterS }),
  };
}

/** The bytes that each item of a batch of uses would be answered alone. */
function itemsOf({ body }: Answer): string[] {
  return (body.results as object[]).map((item) => JSON.stringify({ ...item, index: undefined, replayed: undefined }));
}
