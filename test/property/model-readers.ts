// What readers must see of the model's customer: his wallet, balances, reservations, and what a dry run says. Written from the documented
// rules alone, like the rest of the model; changes nothing.
import { products, type Subject } from './catalogue.js';
import { judgeLimits } from './model-limits.js';
import { costOf, isKnown } from './model-rules.js';
import { isOver, type ModelReservation, type ModelWallet } from './model-wallet.js';
import type { CheckFacts, CreditsState, Holdings, ReservationState, SubjectBalance } from './requests.js';

const INSTANTS_LOOKED_AT = 10;
const WEEK_MS = 7 * 24 * 3_600_000;

/** What a dry run must say now. */
export function checkOf(wallet: ModelWallet, subject: Subject, amount: number): CheckFacts | { code: string } {
  if (!isKnown(subject)) return { code: 'feature' in subject ? 'feature_not_found' : 'product_not_found' };
  const plan = wallet.plan(subject, amount, wallet.now);
  const { violations, warnings, fitsAt } = judgeLimits(wallet, subject, amount, plan);
  if (plan.allowed && violations.length === 0) {
    const { taken: wouldTake, remaining } = plan;
    return { allowed: true, wouldTake, remaining, violations, warnings, allowedAt: wallet.now };
  }
  const starts = new Set<number>();
  for (const batch of plan.allowed ? [] : wallet.batches) {
    const isOpen = batch.granted === null || batch.left > 0;
    if (isOpen && costOf(batch.product, subject) !== undefined && batch.validFrom > wallet.now)
      starts.add(batch.validFrom);
  }
  const soonest = [...starts].sort((a, b) => a - b).slice(0, INSTANTS_LOOKED_AT);
  if (fitsAt !== null) soonest.push(fitsAt);
  soonest.sort((a, b) => a - b);
  const isAllowedAt = (start: number) => {
    const then = wallet.copy();
    then.moveTo(start);
    const later = then.plan(subject, amount, start);
    return later.allowed && judgeLimits(then, subject, amount, later).violations.length === 0;
  };
  const { remaining } = balanceOf(wallet, subject);
  const allowedAt = soonest.find(isAllowedAt) ?? null;
  return { allowed: false, wouldTake: [], remaining, violations, warnings, allowedAt };
}

/** What the wallet must show now. */
export function holdingsOf(wallet: ModelWallet): Holdings {
  const balances: Holdings['balances'] = {};
  const held: Holdings['held'] = {};
  const access: Holdings['access'] = {};
  const features: Holdings['features'] = {};
  const inWallet = new Set(Object.keys(wallet.owed));
  for (const product of inWallet) balances[product] = 0 - (wallet.owed[product] ?? 0);
  const upcoming: Holdings['upcoming'] = {};
  for (const { product, held: heldOfIt } of wallet.merged.flatMap(({ batches }) => batches)) {
    if (heldOfIt > 0) held[product] = (held[product] ?? 0) + heldOfIt;
  }
  for (const own of wallet.batches) {
    const { product, granted, available, held: heldOfIt, validFrom } = wallet.partsOf(own);
    if (granted !== null) {
      balances[product] = (balances[product] ?? 0) + (validFrom <= wallet.now ? available : 0);
      if (validFrom > wallet.now && available > 0) upcoming[product] = (upcoming[product] ?? 0) + available;
      if (heldOfIt > 0) held[product] = (held[product] ?? 0) + heldOfIt;
    } else {
      const until = accessUntil(wallet, product);
      if (until !== undefined) access[product] = { until };
    }
    if (granted !== null || !isOver(own, wallet.now)) inWallet.add(product);
  }
  for (const { key, costs } of products) {
    if (!inWallet.has(key)) continue;
    for (const feature of Object.keys(costs)) {
      const { canUse, remaining } = balanceOf(wallet, { feature });
      features[feature] = { canUse, remaining };
    }
  }
  return { balances, upcoming, held, access, features };
}

/** Until when access lasts without a gap; null when for ever, undefined when there is none now. */
function accessUntil(wallet: ModelWallet, product: string): number | null | undefined {
  let until: number | undefined;
  for (;;) {
    const at = until ?? wallet.now;
    const next = wallet.batches.find(
      (batch) => batch.product === product && batch.granted === null && batch.validFrom <= at && !isOver(batch, at),
    );
    if (!next) return until;
    if (next.expiresAt === null) return null;
    until = next.expiresAt;
  }
}

/** What a subject comes to now; the end is that of the units used next. */
export function balanceOf(wallet: ModelWallet, subject: Subject): SubjectBalance {
  const { remaining } = wallet.plan(subject, Infinity, wallet.now);
  for (const { product, cost, batches } of wallet.payersOf(subject, wallet.now)) {
    if (remaining === null) return { canUse: true, remaining, expiresAt: accessUntil(wallet, product) ?? null };
    const left = batches.reduce((sum, batch) => sum + batch.left, 0);
    if (left >= cost) return { canUse: true, remaining, expiresAt: batches[0]?.expiresAt ?? null };
  }
  return { canUse: false, remaining: 0, expiresAt: null };
}

/** What there is of a product that counts as money. */
export function creditsOf(wallet: ModelWallet, product: string): CreditsState {
  const own = wallet.batches.filter((batch) => batch.product === product);
  const expiring = own
    .filter((batch) => batch.left > 0 && !isOver(batch, wallet.now) && isOver(batch, wallet.now + WEEK_MS))
    .sort((a, b) => Number(a.expiresAt) - Number(b.expiresAt))
    .map(({ place, left }) => ({ batch: place, amount: left }));
  const { balances, held } = holdingsOf(wallet);
  return {
    balance: balances[product] ?? 0,
    available: balanceOf(wallet, { product }).remaining ?? 0,
    held: held[product] ?? 0,
    owed: wallet.owed[product] ?? 0,
    expiring,
  };
}

/** What a reservation is. */
export function stateOf({
  place,
  amount,
  status,
  committed,
  endsAt,
  endedAt,
  legs,
}: ModelReservation): ReservationState {
  return { place, amount, status, committed, endsAt, endedAt, legs };
}
