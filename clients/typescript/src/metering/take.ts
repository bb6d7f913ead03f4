// Charges what was used: by the commit of its hold, and what goes beyond as the route says. Every step has a key that follows from the charge's, so all of
// it may be run again after any interruption, by another process too, and takes nothing twice.
import type { Bursar } from '../bursar.js';
import type { CallOptions, Selector, Subject } from '../call.js';
import type { Excess } from './settings.js';

/** What is to be charged; plain data, as the journal keeps it. */
export interface Charge {
  /** Names the charge; unique for ever. */
  key: string;
  selector: Selector;
  subject: Subject;
  /** What was used, in units of the subject. */
  amount: number;
  excess: Excess;
  hold?: { id: string; amount: number };
  /** A hold that was asked for under the charge's key, and of which no answer came: it may be there. */
  unknownHold?: { amount: number; ttl_seconds: number };
  action_type?: string;
  action_id?: string;
}

/** What became of it; taken + owed + uncharged = the amount, all in units of the subject. */
export interface Taken {
  /** Taken from what the customer had. */
  taken: number;
  /** Owed by the customer. */
  owed: number;
  /** Not charged. */
  uncharged: number;
  /** The code that stood against the rest. */
  reason?: string;
}

/** Throws: what a call throws; then run it again with the same charge. */
export async function take(bursar: Bursar, charge: Charge, options: CallOptions = {}): Promise<Taken> {
  const { amount } = charge;
  const hold = charge.hold ?? (await findHold(bursar, charge, options));
  if (!hold) return takeWithout(bursar, charge, amount, options);
  if (amount === 0) {
    await bursar.release({ id: hold.id, idempotency_key: `${charge.key}-release` }, options);
    return { taken: 0, owed: 0, uncharged: 0 };
  }
  if (amount <= hold.amount) return takeHeld(bursar, charge, { ...hold, amount }, undefined, options);
  let reason: string = 'reservation_exceeded';
  if (charge.excess !== 'refuse') {
    const whole = await bursar.commit(
      { id: hold.id, amount, allow_excess: true, idempotency_key: `${charge.key}-whole` },
      options,
    );
    if (whole.allowed) return { taken: amount, owed: 0, uncharged: 0 };
    if (whole.code === 'reservation_expired') return takeWithout(bursar, charge, amount, options);
    // refused for want of units, or ended by the step below when this ran before: that one finds out
    reason = whole.code;
  }
  return takeHeld(bursar, charge, hold, reason, options);
}

/** Asks again for a hold of which no answer came, with the same key: it is found, or made now, or there is not enough for it. */
async function findHold(bursar: Bursar, charge: Charge, options: CallOptions): Promise<Charge['hold']> {
  if (!charge.unknownHold) return undefined;
  const { amount } = charge.unknownHold;
  const found = await bursar.reserve(reserveArgs(charge, charge.unknownHold), options);
  return found.allowed ? { id: found.id, amount } : undefined;
}

/** What a charge's hold is asked for with, always the same. */
export function reserveArgs(
  { key, selector, subject, action_type, action_id }: Omit<Charge, 'amount' | 'excess'>,
  hold: { amount: number; ttl_seconds: number },
) {
  return {
    ...selector,
    ...subject,
    ...hold,
    idempotency_key: key,
    ...(action_type !== undefined && { action_type }),
    ...(action_id !== undefined && { action_id }),
  };
}

/** Commits of the hold, all of it when there is more to charge, for the reason that this is no part of it; that is then owed, or not charged. */
async function takeHeld(
  bursar: Bursar,
  charge: Charge,
  { id, amount: held }: { id: string; amount: number },
  reason: string | undefined,
  options: CallOptions,
): Promise<Taken> {
  const rest = charge.amount - held;
  const commit = await bursar.commit({ id, amount: held, idempotency_key: `${charge.key}-held` }, options);
  if (!commit.allowed && commit.code === 'reservation_expired')
    return takeWithout(bursar, charge, charge.excess === 'refuse' ? held : charge.amount, options);
  if (!commit.allowed) return { taken: 0, owed: 0, uncharged: charge.amount, reason: commit.code };
  if (rest === 0) return { taken: held, owed: 0, uncharged: 0 };
  if (charge.excess !== 'owe') return { taken: held, owed: 0, uncharged: rest, ...(reason && { reason }) };
  const more = await owe(bursar, charge, rest, `${charge.key}-rest`, options);
  return { ...more, taken: held + more.taken };
}

/** There is no hold, or it has lapsed: the use is taken from what there is. */
async function takeWithout(bursar: Bursar, charge: Charge, amount: number, options: CallOptions): Promise<Taken> {
  const beyond = charge.amount - amount;
  if (amount === 0) return { taken: 0, owed: 0, uncharged: beyond };
  const key = `${charge.key}-late`;
  if (charge.excess === 'owe') return owe(bursar, charge, amount, key, options);
  const { selector, subject, action_type, action_id } = charge;
  const use = await bursar.consume(
    {
      ...selector,
      ...subject,
      amount,
      idempotency_key: key,
      ...(action_type !== undefined && { action_type }),
      ...(action_id !== undefined && { action_id }),
    },
    options,
  );
  if (!use.allowed) return { taken: 0, owed: 0, uncharged: charge.amount, reason: use.code };
  return { taken: amount, owed: 0, uncharged: beyond, ...(beyond > 0 && { reason: 'reservation_exceeded' }) };
}

async function owe(
  bursar: Bursar,
  { selector, subject, action_type, action_id }: Charge,
  amount: number,
  key: string,
  options: CallOptions,
): Promise<Taken> {
  if (!('product_key' in subject)) throw new TypeError('only a currency product can be owed');
  const metadata = { ...(action_type !== undefined && { action_type }), ...(action_id !== undefined && { action_id }) };
  const deduction = await bursar.deduct(
    { ...selector, ...subject, amount, allow_negative: true, metadata, idempotency_key: key },
    options,
  );
  if (!deduction.allowed) return { taken: 0, owed: 0, uncharged: amount, reason: deduction.code };
  return { taken: amount - deduction.owed, owed: deduction.owed, uncharged: 0 };
}
