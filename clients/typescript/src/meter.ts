// Reserve, work, deduct: the part that all frameworks share. A meter holds the estimates of a request before its handler runs, and ends every hold exactly
// once: charged with what was used, or released. What could not be ended lapses by itself.
import { type Bursar, BursarProblem, BursarUnreachable, isOutage } from './bursar.js';
import type { Selector, Subject } from './call.js';
import { EstimateInvalid, estimateOf, UsageUnknown, usageOf } from './metering/amounts.js';
import type { Journal } from './metering/journal.js';
import { ownProblem, type ProblemAnswer, refusalProblem } from './metering/problems.js';
import { type ChargeSettings, isQuantity, nameOf, toSubject } from './metering/settings.js';
import { type Charge, reserveArgs, type Taken, take } from './metering/take.js';
import { newKey } from './transport.js';

export type { ProblemAnswer } from './metering/problems.js';
export {
  type ChargeSettings,
  type Charges,
  type Excess,
  type HeaderEstimate,
  isSkipped,
  type Skip,
  toCharges,
} from './metering/settings.js';
export type { Charge, Taken } from './metering/take.js';

const TTL_DEFAULT_S = 120;
const TTL_MAX_S = 7 * 24 * 3_600;
const RESERVE_DEADLINE_MS = 5_000;
const CHARGE_DEADLINE_MS = 15_000;
const OUTAGE_MS = 2_000;
const RESEND_MS = 5_000;
const JOURNAL_BYTES_MAX = 64 * 1_024 * 1_024;
const MS_PER_S = 1_000;

/** What somebody should know of; `kind` says what it is about. */
export interface Report {
  /**
   * `usage_unknown`: the handler's answer does not say what was used. `uncharged`: a part of the usage could not be taken. `unsettled`: whether it was
   * taken is not known, or the hold was left to lapse. `misconfigured`: Bursar refuses the call itself. `outage`: Bursar is out of reach. `journalled`: a
   * charge waits in the journal. `journal_sent`: it was taken. `journal_failed`: the journal can't be read or written, or a charge in it can never be taken.
   */
  kind:
    | 'usage_unknown'
    | 'uncharged'
    | 'unsettled'
    | 'misconfigured'
    | 'outage'
    | 'journalled'
    | 'journal_sent'
    | 'journal_failed';
  detail: string;
  /** What it was about, with the key, the amount and the hold. */
  charge?: Charge;
  taken?: Taken;
  error?: unknown;
}

interface Sharing<Request> {
  bursar: Bursar;
  /** Whom a request is charged to, from what the application itself has found out about him, never from a header alone; undefined or null answers 401. */
  customer: (request: Request) => MaybeSelector | Promise<MaybeSelector>;
  /** Seconds after which a hold lapses whose process has died; 120 by default. Work that takes longer extends its hold. */
  ttlSeconds?: number;
  /** Milliseconds for which a request waits for its hold; 5,000 by default. */
  reserveDeadlineMs?: number;
  /** Milliseconds for which a charge is tried; 15,000 by default. */
  chargeDeadlineMs?: number;
  /** Told what somebody should know of; by default it is written to the console. */
  onReport?: (report: Report) => void;
}

/** An identity without its id is nobody. */
type MaybeSelector =
  | Selector
  | { external_id?: string | number | null | undefined; provider?: string }
  | { customer_id?: string | null | undefined }
  | undefined
  | null;

/** What happens while Bursar is out of reach: requests are answered with 503, or the work is done and its charge waits in a local journal. */
export type MeterSettings<Request> = Sharing<Request> &
  (
    | { fail: 'closed' }
    | {
        fail: 'open-with-journal';
        /** The path of a file of this process alone, which stays where it is when the process is started again. */
        journal: string;
        /** Bytes above which no more is journalled, and requests are answered with 503; 64 MiB by default. */
        journalBytesMax?: number;
        /** Milliseconds between two attempts to send what the journal has; 5,000 by default. */
        resendMs?: number;
      }
  );

/** What a request looks like to a meter. */
export interface RequestView<Request> {
  request: Request;
  headerOf(name: string): string | undefined;
}

/** What a handler sees of its charges. */
export interface Metering {
  /** How much is held of the only charge, or of the named product or feature; 0 while Bursar is out of reach. */
  held(name?: string): number;
  /**
   * Says what was used, in whole units from 0, of the only charge or of the named one; said again, the last one counts. It wins over the charge's `usage`.
   * Throws: RangeError for what is no such number, Error for an unknown name or once all is charged.
   */
  setUsage(amount: number, name?: string): void;
  /** Aborted when the client hangs up. */
  readonly signal: AbortSignal;
}

/** How a request ended. */
export interface Ending {
  status: number;
  /** The answer as an object, when it is known. */
  answer?: unknown;
  /** Whether the answer has left, wholly or in part, so that it can't be replaced. */
  isSent: boolean;
}

/** What to do with the answer: replace it, or add headers to it. */
export interface Settlement {
  instead?: ProblemAnswer;
  headers: Readonly<Record<string, string>>;
}

/** The holds of one request. */
export interface Work extends Metering {
  /** Charges what was used; released instead when the answer is an error: from 500 on, and from 400 on unless the handler said what was used. Never throws. */
  settle(ending: Ending): Promise<Settlement>;
  /** Gives all holds back, in the background. */
  release(): void;
  /** The client hung up: as release, and the signal is aborted. */
  abort(): void;
}

export interface Meter<Request> {
  /** Holds the estimates, all or none. Throws only what `customer`, an estimate or `action_id` throws. */
  begin(view: RequestView<Request>, charges: readonly ChargeSettings<Request>[]): Promise<Work | ProblemAnswer>;
  /** Waits for what is under way, and closes the journal. */
  close(): Promise<void>;
}

export function isProblem(value: Work | ProblemAnswer): value is ProblemAnswer {
  return 'body' in value;
}

/**
 * Makes a meter: asks whether Bursar is there and takes the token, and opens the journal, whose charges it begins to send.
 * Throws: TypeError for settings that can't be right; BursarProblem for a wrong token; BursarUnreachable when there is no Bursar at the URL (with a journal
 * only when something else answers there); an error when the journal can't be opened.
 */
export async function createMeter<Request>(settings: MeterSettings<Request>): Promise<Meter<Request>> {
  const core = new MeterCore(settings);
  await core.open();
  return core;
}

class MeterCore<Request> implements Meter<Request> {
  readonly settings: MeterSettings<Request>;
  readonly ttlSeconds: number;
  readonly #background = new Set<Promise<unknown>>();
  #journal: Journal | undefined;
  #resend: ReturnType<typeof setInterval> | undefined;
  #sending: Promise<void> | undefined;
  #outageUntilMs = 0;

  constructor(settings: MeterSettings<Request>) {
    this.settings = settings;
    this.ttlSeconds = settings.ttlSeconds ?? TTL_DEFAULT_S;
    if (!isQuantity(this.ttlSeconds, 1) || this.ttlSeconds > TTL_MAX_S)
      throw new TypeError(`ttlSeconds must be a whole number from 1 to ${TTL_MAX_S}`);
    if (typeof settings.bursar?.reserve !== 'function') throw new TypeError('the meter needs a client: createBursar');
    if (typeof settings.customer !== 'function') throw new TypeError('customer must be a function of the request');
    if (settings.fail !== 'closed' && settings.fail !== 'open-with-journal')
      throw new TypeError("fail is 'closed' or 'open-with-journal'");
    if (settings.fail === 'open-with-journal' && (typeof settings.journal !== 'string' || settings.journal === ''))
      throw new TypeError("fail: 'open-with-journal' needs the path of a journal");
  }

  async open(): Promise<void> {
    const { settings } = this;
    try {
      await settings.bursar.verify({ deadlineMs: settings.reserveDeadlineMs ?? RESERVE_DEADLINE_MS });
    } catch (error) {
      if (settings.fail === 'closed' || !isOutage(error)) throw error;
      this.noteOutage(error);
    }
    if (settings.fail === 'closed') return;
    const { Journal } = await import('./metering/journal.js');
    this.#journal = await Journal.open({
      path: settings.journal,
      bytesMax: settings.journalBytesMax ?? JOURNAL_BYTES_MAX,
      onUnreadable: (line) => this.report({ kind: 'journal_failed', detail: `a line can not be read: ${line}` }),
    });
    this.#resend = setInterval(() => void this.#sendJournal(), settings.resendMs ?? RESEND_MS);
    this.#resend.unref?.();
    void this.#sendJournal();
  }

  async begin(view: RequestView<Request>, charges: readonly ChargeSettings<Request>[]): Promise<Work | ProblemAnswer> {
    const selector = toSelector(await this.settings.customer(view.request));
    if (!selector) return ownProblem('unauthenticated', 'Sign in first.');
    const work = new HeldWork(this, view.request, selector);
    try {
      for (const settings of charges) {
        const amount = await estimateOf(settings, view.request, view.headerOf);
        const refused = await work.hold(settings, amount);
        if (!refused) continue;
        work.release();
        return refused;
      }
    } catch (error) {
      work.release();
      if (!(error instanceof EstimateInvalid)) throw error;
      if (error.isOfCaller) return ownProblem('invalid_estimate', error.message);
      this.report({ kind: 'misconfigured', detail: error.message, error });
      return ownProblem('metering_failed', 'The estimate is not valid.');
    }
    work.keepHeld();
    return work;
  }

  async close(): Promise<void> {
    clearInterval(this.#resend);
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.#sending;
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close();
  }

  /** Lets something run on beside the answers; it must not throw. */
  inBackground(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  report(report: Report): void {
    const { onReport = reportToConsole } = this.settings;
    try {
      onReport(report);
    } catch (error) {
      reportToConsole({ ...report, error });
    }
  }

  /** While Bursar was just found out of reach, nobody waits for it again. */
  get isOut(): boolean {
    return performance.now() < this.#outageUntilMs;
  }

  noteOutage(error: unknown): void {
    this.#outageUntilMs = performance.now() + OUTAGE_MS;
    this.report({ kind: 'outage', detail: messageOf(error), error });
  }

  /** Charges, or journals the charge. Throws: what a call throws, without a journal; BursarUnreachable when the journal can't be written either. */
  async charge(charge: Charge): Promise<Taken | 'journalled'> {
    const deadlineMs = this.settings.chargeDeadlineMs ?? CHARGE_DEADLINE_MS;
    try {
      if (!(this.#journal && this.isOut))
        return this.#note(charge, await take(this.settings.bursar, charge, { deadlineMs }));
    } catch (error) {
      if (isOutage(error)) this.noteOutage(error);
      if (!(this.#journal && isOutage(error))) throw error;
    }
    try {
      await this.#journal.add(charge);
    } catch (error) {
      this.report({ kind: 'journal_failed', detail: messageOf(error), charge, error });
      throw new BursarUnreachable('neither Bursar nor the journal takes the charge', { cause: error });
    }
    this.report({ kind: 'journalled', detail: `${charge.amount} of ${nameOf(charge.subject)}`, charge });
    return 'journalled';
  }

  #note(charge: Charge, taken: Taken): Taken {
    if (taken.uncharged > 0) {
      const detail = `${taken.uncharged} of ${charge.amount} ${nameOf(charge.subject)}: ${taken.reason}`;
      this.report({ kind: 'uncharged', detail, charge, taken });
    }
    return taken;
  }

  #sendJournal(): Promise<void> {
    this.#sending ??= this.#sendPending().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendPending(): Promise<void> {
    const journal = this.#journal;
    for (const charge of journal?.pending ?? []) {
      try {
        const taken = this.#note(charge, await take(this.settings.bursar, charge));
        await journal?.finish(charge.key, { result: taken });
        this.report({
          kind: 'journal_sent',
          detail: `${taken.taken + taken.owed} of ${nameOf(charge.subject)}`,
          charge,
          taken,
        });
      } catch (error) {
        if (!(await this.#giveUp(charge, error))) return;
      }
    }
  }

  /** Whether a charge of the journal can never be taken; else it stays. */
  async #giveUp(charge: Charge, error: unknown): Promise<boolean> {
    const isFinal = error instanceof BursarProblem && !isOutage(error) && error.status !== 401 && error.status !== 403;
    this.report({ kind: isFinal ? 'journal_failed' : 'outage', detail: messageOf(error), charge, error });
    if (isFinal) await this.#journal?.finish(charge.key, { error: messageOf(error) }).catch(() => {});
    return isFinal;
  }
}

interface Held<Request> {
  settings: ChargeSettings<Request>;
  subject: Subject;
  key: string;
  estimate: number;
  /** Undefined while Bursar was out of reach. */
  hold: { id: string; amount: number } | undefined;
  /** While no answer has come of the hold that was asked for. */
  unknownHold: { amount: number; ttl_seconds: number } | undefined;
  actionId: string | undefined;
  told: number | undefined;
}

class HeldWork<Request> implements Work {
  readonly #meter: MeterCore<Request>;
  readonly #request: Request;
  readonly #selector: Selector;
  readonly #held: Held<Request>[] = [];
  readonly #abort = new AbortController();
  #extension: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;

  constructor(meter: MeterCore<Request>, request: Request, selector: Selector) {
    this.#meter = meter;
    this.#request = request;
    this.#selector = selector;
  }

  /** Holds one more amount; an answer says why it is not held. */
  async hold(settings: ChargeSettings<Request>, estimate: number): Promise<ProblemAnswer | undefined> {
    const meter = this.#meter;
    const { bursar, fail, reserveDeadlineMs = RESERVE_DEADLINE_MS } = meter.settings;
    const subject = toSubject(settings);
    const actionId = settings.action_id?.(this.#request);
    // a key of the request's own: with one that the caller chooses he would get work twice for one charge
    const held: Held<Request> = {
      settings,
      subject,
      key: newKey(),
      estimate,
      hold: undefined,
      unknownHold: undefined,
      actionId,
      told: undefined,
    };
    try {
      if (meter.isOut) {
        if (fail === 'closed') return unavailable();
      } else {
        const wanted = { amount: estimate, ttl_seconds: meter.ttlSeconds };
        held.unknownHold = wanted;
        const reservation = await bursar.reserve(reserveArgs(this.#toCharge(held, 0), wanted), {
          deadlineMs: reserveDeadlineMs,
        });
        if (!reservation.allowed) return refusalProblem(reservation);
        held.hold = { id: reservation.id, amount: estimate };
        held.unknownHold = undefined;
      }
    } catch (error) {
      if (!isOutage(error)) {
        meter.report({ kind: 'misconfigured', detail: messageOf(error), error });
        return ownProblem('metering_failed', 'Bursar does not accept the charge.');
      }
      meter.noteOutage(error);
      if (fail === 'closed') return unavailable();
    }
    this.#held.push(held);
    return undefined;
  }

  /** Extends the holds for as long as the work goes on, each time when half of their time is over. */
  keepHeld(): void {
    this.#extension = setTimeout(
      () => {
        this.#meter.inBackground(this.#extend());
        this.keepHeld();
      },
      (this.#meter.ttlSeconds * MS_PER_S) / 2,
    );
    this.#extension.unref?.();
  }

  async #extend(): Promise<void> {
    const { bursar } = this.#meter.settings;
    const ttl_seconds = this.#meter.ttlSeconds;
    for (const { hold } of this.#held) {
      if (!hold || this.#isEnded) continue;
      try {
        const extended = await bursar.extend(
          { id: hold.id, ttl_seconds },
          { deadlineMs: (ttl_seconds * MS_PER_S) / 4 },
        );
        // refused: it has lapsed, or lasted for as long as a hold may; then it is charged without
        if (!extended.allowed) clearTimeout(this.#extension);
      } catch (error) {
        this.#meter.report({ kind: 'outage', detail: `a hold was not extended: ${messageOf(error)}`, error });
      }
    }
  }

  held(name?: string): number {
    return this.#find(name).hold?.amount ?? 0;
  }

  setUsage(amount: number, name?: string): void {
    const held = this.#find(name);
    if (!isQuantity(amount, 0)) throw new RangeError(`usage must be a whole number from 0: ${amount}`);
    if (this.#isEnded && !this.signal.aborted) throw new Error('the usage was told after all was charged');
    held.told = amount;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  #find(name: string | undefined): Held<Request> {
    const found = name === undefined ? this.#held : this.#held.filter((each) => nameOf(each.subject) === name);
    const [only] = found;
    if (only && found.length === 1) return only;
    throw new Error(
      name === undefined ? 'this route has several charges: name one' : `this route has no charge of ${name}`,
    );
  }

  /** Whether it is the first to end the work. */
  #end(): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    clearTimeout(this.#extension);
    return true;
  }

  release(): void {
    if (this.#end()) this.#releaseAll();
  }

  abort(): void {
    if (!this.#end()) return;
    this.#abort.abort(new Error('the client hung up'));
    this.#releaseAll();
  }

  #releaseAll(): void {
    const { settings } = this.#meter;
    const deadlineMs = settings.chargeDeadlineMs ?? CHARGE_DEADLINE_MS;
    for (const { hold, key } of this.#held) {
      if (!hold) continue;
      const released = settings.bursar.release({ id: hold.id, idempotency_key: `${key}-release` }, { deadlineMs });
      this.#meter.inBackground(
        released.catch((error: unknown) =>
          this.#meter.report({ kind: 'unsettled', detail: `a hold is left to lapse: ${messageOf(error)}`, error }),
        ),
      );
    }
  }

  settle(ending: Ending): Promise<Settlement> {
    if (!this.#end()) return Promise.resolve({ headers: {} });
    const settling = this.#settle(ending);
    this.#meter.inBackground(settling);
    return settling;
  }

  async #settle({ status, answer, isSent }: Ending): Promise<Settlement> {
    const isTold = this.#held.every((each) => each.told !== undefined);
    if (status >= 500 || (status >= 400 && !isTold)) {
      this.#releaseAll();
      return { headers: {} };
    }
    const charges = await this.#toCharges(answer, isSent);
    if (!charges) {
      this.#releaseAll();
      return { instead: ownProblem('metering_failed', 'The usage is not known.'), headers: {} };
    }
    return this.#chargeAll(charges);
  }

  /** What to charge; undefined when it is not known and the answer can still be replaced. Of one that has left, the whole hold was used. */
  async #toCharges(answer: unknown, isSent: boolean): Promise<Charge[] | undefined> {
    const charges: Charge[] = [];
    for (const held of this.#held) {
      try {
        charges.push(this.#toCharge(held, await usageOf(held.settings, held.told, answer, this.#request)));
      } catch (error) {
        if (!(error instanceof UsageUnknown)) throw error;
        const charge = this.#toCharge(held, held.estimate);
        this.#meter.report({ kind: 'usage_unknown', detail: error.message, charge, error });
        if (!isSent) return undefined;
        charges.push(charge);
      }
    }
    return charges;
  }

  #toCharge({ key, subject, settings, hold, unknownHold, actionId }: Held<Request>, amount: number): Charge {
    const { excess = 'take', action_type } = settings;
    return {
      key,
      selector: this.#selector,
      subject,
      amount,
      excess,
      ...(hold && { hold }),
      ...(unknownHold && { unknownHold }),
      ...(action_type !== undefined && { action_type }),
      ...(actionId !== undefined && { action_id: actionId }),
    };
  }

  async #chargeAll(charges: readonly Charge[]): Promise<Settlement> {
    const deducted: { name: string; amount: number }[] = [];
    for (const charge of charges) {
      try {
        const taken = await this.#meter.charge(charge);
        if (taken !== 'journalled') deducted.push({ name: nameOf(charge.subject), amount: taken.taken + taken.owed });
      } catch (error) {
        this.#meter.report({ kind: 'unsettled', detail: messageOf(error), charge, error });
        return {
          instead: isOutage(error) ? unavailable() : ownProblem('metering_failed', 'It could not be charged.'),
          headers: {},
        };
      }
    }
    return { headers: deducted.length === charges.length ? deductedHeader(deducted) : {} };
  }
}

/** `35`, or `TOKENS=35, IMAGES=1` of several charges. */
function deductedHeader(deducted: readonly { name: string; amount: number }[]): Record<string, string> {
  const [first] = deducted;
  const value =
    deducted.length === 1 ? String(first?.amount) : deducted.map(({ name, amount }) => `${name}=${amount}`).join(', ');
  return { 'x-credits-deducted': value };
}

function unavailable(): ProblemAnswer {
  return ownProblem('metering_unavailable', 'Try again in a moment.');
}

function toSelector(found: MaybeSelector): Selector | undefined {
  if (typeof found !== 'object' || found === null) return undefined;
  const ids = Object.entries(found).filter(([name]) => name !== 'provider');
  const isNamed = ids.some(([, id]) => (typeof id === 'string' && id.trim() !== '') || typeof id === 'number');
  return isNamed ? (found as Selector) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What nobody listens for must not go by unseen. */
function reportToConsole({ kind, detail, error = '' }: Report): void {
  // biome-ignore lint/suspicious/noConsole: there is no other place
  console.error(`bursar: ${kind}: ${detail}`, error);
}
