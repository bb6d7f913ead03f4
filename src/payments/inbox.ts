// The inbox of a process: a webhook is verified, stored, and then applied, at once where that is possible and else by a job. The answer says that it is
// stored; it waits a moment for the rest, so that usually it is done by then.
import type { Actor } from '../call.js';
import { findOrder, findOrderOwners, isStillUnmatched } from '../db/orders.js';
import { CHARGE_UNMATCHED, reconsiderEvents, type StoredEvent, takeDueEvents, takeEvent } from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { effectiveStatus } from '../ledger/orders.js';
import type { InboxRecord, PaymentEvent } from '../ledger/payment-entities.js';
import { MONEY_MAX } from '../lib/money.js';
import { createSlots } from '../lib/slots.js';
import { ID_LENGTH_MAX, isStorableText } from '../schemas/text.js';
import { decideInboxEvent, eventNotFound, getInboxEvent } from '../services/payment-inbox.js';
import { findOpenSource, getPaymentSources } from '../services/payment-sources.js';
import { EFFECTS, ORDER_MISSING, type Outcome, PAYMENT_MISSING, SUBSCRIPTION_MISSING } from './effects.js';
import { createGeneric, GENERIC, keptOf } from './generic.js';
import { createInboxWrites, type InboxWrites } from './inbox-writes.js';
import { type AskedOrder, type Delivery, ownIdOf, type Provider, ProviderDenies, ProviderSilent } from './provider.js';
import { createProviders } from './providers.js';

/** How long an event is nobody else's while it is applied. */
const LEASE_MS = 60_000;
/** How long an answer waits for what was stored to be applied. */
const ANSWER_WAIT_MS = 1_000;
/** Events that are applied at a time in a process. */
const APPLIED_AT_ONCE = 64;
/** Events that wait for that in a process; what comes beyond them is the job's. */
const STARTED_MAX = 1_000;
/** Events that the job takes at a time. */
const DUE_MAX = 100;
/** Between two attempts: twice as long each time. */
const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 600_000;
const DELAY_GROWTH = 2;
/** Why an event waits that could not be applied by a fault of ours. */
const FAULT = 'internal_error';
const PROVIDER_MISSING = 'provider_not_configured';
/** How long is waited for an order or a subscription that an event names, an order that it does not name, the payment that is refunded or disputed, a provider that does not answer, or is not configured any more. */
const HOUR_MS = 3_600_000;
const WAITS_MS: Readonly<Record<string, number>> = {
  [ORDER_MISSING]: 24 * HOUR_MS,
  [SUBSCRIPTION_MISSING]: 24 * HOUR_MS,
  no_order: HOUR_MS,
  [PAYMENT_MISSING]: 72 * HOUR_MS,
  order_not_paid: 72 * HOUR_MS,
  refund_pending: 72 * HOUR_MS,
  provider_silent: 72 * HOUR_MS,
  [PROVIDER_MISSING]: 72 * HOUR_MS,
  [FAULT]: 72 * HOUR_MS,
};
const LAST_YEAR = 9_999;

export interface Inbox {
  /**
   * Takes what a provider sent: verified, stored, and usually applied; what it is answered, where it asks something. Throws: invalid_signature,
   * malformed_json, invalid_request, unavailable, clock_skewed.
   */
  receive(provider: Provider, delivery: Delivery): Promise<object | undefined>;
  /** Takes events that somebody tells in a provider's place, and waits until they are tried; how many are new. */
  take(provider: Provider, events: readonly PaymentEvent[]): Promise<number>;
  /** Applies what is due, step by step, until nothing is left or `isStopped` says so; how many events. */
  applyDue(isStopped: () => boolean): Promise<number>;
  /** Tries an event again, from its body where that is kept. Throws: payment_event_not_found, payment_event_closed, payment_provider_not_found. */
  replay(id: string, actor: Actor): Promise<StoredEvent>;
  /** The configured provider whose charges are of a payment method. Throws: payment_provider_not_found. */
  requireMethod(paymentMethod: string): Promise<Provider>;
  /** Under which payment methods the configured providers have their charges. */
  methods(): Promise<ReadonlySet<string>>;
  /** The provider of a name. Throws: payment_provider_not_found. */
  requireProvider(name: string, pointer?: string): Promise<Provider>;
  /** Waits for what is being applied. */
  end(): Promise<void>;
}

const inboxes = new WeakMap<Deps, Inbox>();

/** The inbox of a process. */
export function inboxOf(deps: Deps): Inbox {
  const known = inboxes.get(deps) ?? createInbox(deps);
  inboxes.set(deps, known);
  return known;
}

function createInbox(deps: Deps): Inbox {
  let providers: ReadonlyMap<string, Provider> | undefined;
  // What is applied at the same time shares transactions.
  const sharing: Deps = { ...deps, engine: { ...deps.engine, run: (operation) => deps.engine.runBeside(operation) } };
  const slots = createSlots(APPLIED_AT_ONCE);
  const writes = createInboxWrites(deps);
  const started = new Set<Promise<void>>();

  const findProvider = async (name: string): Promise<Provider | undefined> => {
    providers ??= createProviders(deps.config);
    return providers.get(name) ?? findGeneric(deps, name);
  };
  const requireProvider = async (name: string, pointer = 'path/provider'): Promise<Provider> => {
    const found = await findProvider(name);
    if (found) return found;
    throw new AppError('payment_provider_not_found', `The provider ${name} is not configured.`, { pointer });
  };
  const apply = async (record: InboxRecord): Promise<void> => {
    // It waited here for longer than it was ours: whoever has it now applies it.
    if (record.nextAt !== null && record.nextAt <= deps.clock.now()) return;
    const provider = await findProvider(record.provider);
    const settled = provider ? await outcomeOrFault(sharing, provider, record) : withoutProvider(deps, record);
    await settle(deps, writes, settled);
    await reconsider(deps, provider, settled);
  };
  /** Applies an event beside whatever else goes on. A failure is noted, and the event is tried again when its lease ends. */
  const start = (record: InboxRecord): Promise<void> => {
    const applying = slots
      .take(() => apply(record))
      .catch((error: unknown) => {
        deps.log.error(
          { err: error, inbox_id: record.id },
          'what became of an event of a payment provider could not be written',
        );
      })
      .finally(() => started.delete(applying));
    started.add(applying);
    return applying;
  };

  return {
    requireProvider,
    receive: async (provider, delivery) => {
      const events = await verified(deps, provider, delivery);
      const answer = await provider.answer?.(delivery.raw, (ref) => askedOrder(deps, ref));
      if (answer) {
        count(deps, provider, 'answered');
        return answer;
      }
      const isStarted = started.size < STARTED_MAX;
      const records = events.map((event) => toRecord(deps, provider, { event, delivery, isStarted }));
      const stored = await writes.store(records);
      const fresh = records.filter(({ id }) => stored.has(id));
      count(deps, provider, fresh.length > 0 ? 'stored' : 'repeated');
      const waiting = fresh.filter(({ status }) => status === 'waiting');
      if (isStarted && waiting.length > 0) await upTo(ANSWER_WAIT_MS, Promise.all(waiting.map(start)));
      return undefined;
    },
    take: async (provider, events) => {
      const records = events.map((event) => toRecord(deps, provider, { event: storable(event), isStarted: true }));
      const stored = await writes.store(records);
      const fresh = records.filter(({ id }) => stored.has(id));
      await Promise.all(fresh.filter(({ status }) => status === 'waiting').map(start));
      return fresh.length;
    },
    requireMethod: async (paymentMethod) => {
      providers ??= createProviders(deps.config);
      const known = [...providers.values()].find((provider) => provider.paymentMethod === paymentMethod);
      if (known) return known;
      const own = (await getPaymentSources(deps)).filter((source) => source.paymentMethod === paymentMethod);
      const [source] = own.filter(({ isEnabled }) => isEnabled);
      if (source) return requireProvider(`${GENERIC}${source.name}`, 'query/payment_method');
      const detail = `No provider is configured whose charges are ${paymentMethod}.`;
      throw new AppError('payment_provider_not_found', detail, { pointer: 'query/payment_method' });
    },
    methods: async () => {
      providers ??= createProviders(deps.config);
      const sources = (await getPaymentSources(deps)).filter(({ isEnabled }) => isEnabled);
      return new Set([...providers.values(), ...sources].map(({ paymentMethod }) => paymentMethod));
    },
    applyDue: async (isStopped) => {
      let applied = 0;
      while (!isStopped()) {
        const now = deps.clock.now();
        const due = await takeDueEvents(deps.db, now, new Date(now.getTime() + LEASE_MS), DUE_MAX);
        await Promise.all(due.map(start));
        applied += due.length;
        if (due.length < DUE_MAX) break;
      }
      return applied;
    },
    replay: async (id, actor) => {
      const before = await getInboxEvent(deps, id);
      if (before.status === 'applied') return before;
      const provider = await requireProvider(before.provider, 'path/id');
      const taken = await takeEvent(deps.db, id, new Date(deps.clock.now().getTime() + LEASE_MS));
      if (!taken) throw closed(await getInboxEvent(deps, id));
      const settled = await outcomeOrFault(deps, provider, readAgain(provider, taken));
      await settle(deps, writes, settled, actor.keyId);
      await reconsider(deps, provider, settled);
      return getInboxEvent(deps, id);
    },
    end: async () => {
      while (started.size > 0) await Promise.all(started);
    },
  };
}

/** The provider that a source is, as it is now. */
async function findGeneric(deps: Deps, name: string): Promise<Provider | undefined> {
  if (!name.startsWith(GENERIC)) return undefined;
  const found = await findOpenSource(deps, name.slice(GENERIC.length));
  return found?.source.isEnabled ? createGeneric(found.source, found.secrets) : undefined;
}

function closed({ id, status }: StoredEvent): AppError {
  if (status !== 'dismissed' && status !== 'applied') return eventNotFound(id);
  return new AppError('payment_event_closed', `The event is ${status}.`, { pointer: 'path/id' });
}

/** What a body tells; who may not have sent it is counted, and nothing else is kept of him. */
async function verified(deps: Deps, provider: Provider, delivery: Delivery): Promise<PaymentEvent[]> {
  try {
    return (await provider.verify(delivery)).map(storable);
  } catch (error) {
    if (error instanceof AppError) count(deps, provider, error.code);
    throw error;
  }
}

function count({ metrics }: Deps, { name }: Provider, outcome: string): void {
  metrics.paymentWebhooks.add(name.split('/')[0] ?? name, outcome);
}

/** An event as the database can hold it: of what it can't, nothing is known. */
function storable(event: PaymentEvent): PaymentEvent {
  const text = (value: string | null) =>
    value !== null && value !== '' && value.length <= ID_LENGTH_MAX && isStorableText(value) ? value : null;
  const { occurredAt, amount } = event;
  const year = occurredAt?.getUTCFullYear() ?? Number.NaN;
  return {
    ...event,
    orderRef: text(event.orderRef),
    subscriptionRef: text(event.subscriptionRef),
    paymentId: text(event.paymentId),
    refundId: text(event.refundId),
    disputeId: text(event.disputeId),
    currency: text(event.currency),
    amount: amount !== null && amount <= MONEY_MAX ? amount : null,
    occurredAt: year > 0 && year <= LAST_YEAR ? occurredAt : null,
  };
}

function toRecord(
  { clock, ids }: Deps,
  provider: Provider,
  { event, delivery, isStarted }: { event: PaymentEvent; delivery?: Delivery; isStarted: boolean },
): StoredEvent {
  const now = clock.now();
  const isIgnored = event.kind === 'ignored';
  return {
    ...event,
    id: ids.next(),
    provider: provider.name,
    status: isIgnored ? 'ignored' : 'waiting',
    reason: isIgnored ? 'no_effect' : null,
    detail: null,
    orderId: ownIdOf(event.orderRef),
    attempts: isIgnored ? 0 : 1,
    receivedAt: now,
    nextAt: isIgnored ? null : new Date(now.getTime() + (isStarted ? LEASE_MS : 0)),
    settledAt: isIgnored ? now : null,
    body: delivery?.raw.toString('hex') ?? null,
    headers: delivery ? keptOf(delivery.headers, provider.keptHeaders) : {},
  };
}

/** A record as its body is read by now, which may be more than was read when it came. */
function readAgain(provider: Provider, { body, headers, ...record }: StoredEvent): InboxRecord {
  if (body === null) return record;
  try {
    const read = provider.read(Buffer.from(body, 'hex'), headers).find(({ eventId }) => eventId === record.eventId);
    return read ? { ...record, ...storable(read) } : record;
  } catch (error) {
    if (error instanceof AppError) return record; // by a mapping of now it would be no event; it was one when it came
    throw error;
  }
}

/** Like `outcomeOf`; what is thrown is told, and tried again less and less often. */
async function outcomeOrFault(deps: Deps, provider: Provider, record: InboxRecord): Promise<InboxRecord> {
  try {
    return await outcomeOf(deps, provider, record);
  } catch (error) {
    deps.log.error({ err: error, inbox_id: record.id }, 'an event of a payment provider could not be applied');
    const detail = 'It could not be applied; the log says why.';
    return settledAs(deps, record, { status: 'waiting', reason: FAULT, detail, orderId: record.orderId });
  }
}

/** Applies an event; what became of it. Throws what is a defect, or the database's. */
async function outcomeOf(deps: Deps, provider: Provider, record: InboxRecord): Promise<InboxRecord> {
  const { completed, outcome } = await completedOf(provider, record);
  if (outcome) return settledAs(deps, record, outcome);
  const outcomes: Outcome[] = [];
  for (const event of completed) outcomes.push(await EFFECTS[event.kind](deps, provider, event));
  const [worst] = outcomes.sort((a, b) => GRAVITY.indexOf(a.status) - GRAVITY.indexOf(b.status));
  const [told] = completed;
  const { kind, paymentId, ...about } = completed.length === 1 && told ? told : record;
  return settledAs(deps, { ...record, ...about, kind, paymentId }, worst ?? NO_EFFECT);
}

/** Of several effects of one event the first of these counts. */
const GRAVITY: readonly Outcome['status'][] = ['waiting', 'quarantined', 'applied', 'ignored'];
const NO_EFFECT: Outcome = { status: 'ignored', reason: 'no_effect', detail: null, orderId: null };

/** What there is to apply, once the provider was asked where that is necessary; or what becomes of an event about which it could not be, or denies it. */
async function completedOf(
  provider: Provider,
  record: InboxRecord,
): Promise<{ completed: PaymentEvent[]; outcome?: Outcome }> {
  const about = { orderId: record.orderId };
  try {
    const completed = (await provider.complete?.(record)) ?? [record];
    return { completed: completed.map(storable) };
  } catch (error) {
    if (error instanceof ProviderSilent)
      return {
        completed: [],
        outcome: { status: 'waiting', reason: 'provider_silent', detail: error.message, ...about },
      };
    if (error instanceof ProviderDenies)
      return {
        completed: [],
        outcome: { status: 'quarantined', reason: 'provider_denies', detail: error.message, ...about },
      };
    throw error;
  }
}

function withoutProvider(deps: Deps, record: InboxRecord): InboxRecord {
  const { orderId } = record;
  const detail = `The provider ${record.provider} is not configured.`;
  return settledAs(deps, record, { status: 'waiting', reason: PROVIDER_MISSING, detail, orderId });
}

/** A record with what became of it: when it is tried again, or, where it waited for too long, that somebody has to look at it. */
function settledAs({ clock }: Deps, record: InboxRecord, { status, reason, detail, orderId }: Outcome): InboxRecord {
  const now = clock.now();
  const waitMs = WAITS_MS[reason ?? ''] ?? Number.POSITIVE_INFINITY;
  const isOver = status === 'waiting' && now.getTime() - record.receivedAt.getTime() >= waitMs;
  const about = { reason, detail, orderId: orderId ?? record.orderId };
  if (status !== 'waiting' || isOver)
    return { ...record, ...about, status: isOver ? 'quarantined' : status, nextAt: null, settledAt: now };
  const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * DELAY_GROWTH ** (record.attempts - 1));
  return { ...record, ...about, status, nextAt: new Date(now.getTime() + delayMs), settledAt: null };
}

async function settle(deps: Deps, writes: InboxWrites, record: InboxRecord, actingKey?: string): Promise<void> {
  const isDecided = record.status === 'quarantined' || actingKey !== undefined;
  await (isDecided ? decideInboxEvent(deps, record, actingKey) : writes.settle(record));
  deps.metrics.paymentWebhooks.add(record.provider.split('/')[0] ?? record.provider, record.status);
}

/** Has an event tried again that was left because its charge bought nothing, where the charge bought something while that was written. */
async function reconsider({ db, clock }: Deps, provider: Provider | undefined, record: InboxRecord): Promise<void> {
  const { reason, paymentId, orderId } = record;
  if (reason !== CHARGE_UNMATCHED || !provider || paymentId === null || orderId === null) return;
  if (await isStillUnmatched(db, provider.paymentMethod, paymentId)) return;
  await reconsiderEvents(db, [{ paymentId, orderId, now: clock.now() }]);
}

/** An order as it is now, by what a provider calls it. */
async function askedOrder({ db, clock }: Deps, ref: string): Promise<AskedOrder | undefined> {
  const id = ownIdOf(ref);
  if (id === null) return undefined;
  const owner = (await findOrderOwners(db, [id])).get(id)?.customerId;
  const order = owner === undefined ? undefined : await findOrder(db, owner, id);
  return order && { ...order, status: effectiveStatus(order, clock.now()) };
}

/** Waits for something, but no longer than so. */
async function upTo(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
