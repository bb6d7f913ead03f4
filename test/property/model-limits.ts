// How much the model's customer may use in windows of time. Written from the documented rules alone, like the rest of the model: what was used is
// added up anew each time it is asked.
import type { Subject } from './catalogue.js';
import { isKnown, refuse } from './model-rules.js';
import type { ModelPlan, ModelWallet } from './model-wallet.js';
import type { Expected, LimitRequest, LimitTerms, LimitWindow, OverLimit } from './requests.js';

const WINDOWS: readonly LimitWindow[] = ['hour', 'day', 'month', 'billing_period', 'total'];

/** From the start on, before the end. */
interface Span {
  start: number;
  end: number;
}

/** What limits say of a use. */
export interface ModelVerdict {
  violations: OverLimit[];
  warnings: OverLimit[];
  /** When no violation stands against it any longer; null when that is never. */
  fitsAt: number | null;
}

export function setLimit(wallet: ModelWallet, request: Extract<LimitRequest, { kind: 'set limit' }>): Expected {
  const { subject, windows, enforcement } = request;
  if (!isKnown(subject)) return refuse('feature' in subject ? 'feature_not_found' : 'product_not_found');
  const others = wallet.limits.filter((limit) => nameOf(limit.subject) !== nameOf(subject));
  const isNew = others.length === wallet.limits.length;
  const limit = { subject, windows, enforcement };
  wallet.limits = [...others, limit];
  return { outcome: 'accepted', facts: { limit, isNew } };
}

export function removeLimit(
  wallet: ModelWallet,
  { subject }: Extract<LimitRequest, { kind: 'remove limit' }>,
): Expected {
  const others = wallet.limits.filter((limit) => nameOf(limit.subject) !== nameOf(subject));
  if (others.length === wallet.limits.length) return refuse('limit_not_found');
  wallet.limits = others;
  return { outcome: 'accepted', facts: { limit: null } };
}

/** The windows of which a limit says something, shortest first. */
export function windowsOf({ windows }: { windows: { [W in LimitWindow]?: unknown } }): LimitWindow[] {
  return WINDOWS.filter((window) => windows[window] !== undefined);
}

/** The window in which an instant lies, by the calendar of UTC. */
export function windowAt(window: LimitWindow, instant: number): Span {
  const at = new Date(instant);
  const [year, month, day, hour] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours()];
  switch (window) {
    case 'hour':
      return { start: Date.UTC(year, month, day, hour), end: Date.UTC(year, month, day, hour + 1) };
    case 'day':
      return { start: Date.UTC(year, month, day), end: Date.UTC(year, month, day + 1) };
    case 'month':
    case 'billing_period':
      return { start: Date.UTC(year, month), end: Date.UTC(year, month + 1) };
    case 'total':
      return { start: -Infinity, end: Infinity };
  }
}

/** What was used of a subject in a window, less what came back of it. */
export function usedIn({ counts }: ModelWallet, subject: Subject, { start, end }: Span): number {
  let used = 0;
  for (const count of counts) {
    if (nameOf(count.subject) === nameOf(subject) && start <= count.at && count.at < end) used += count.units;
  }
  return used;
}

/** What limits say of a use of which it is planned what pays for it, or that there is too little; an overdraft is refused by none. */
export function judgeLimits(
  wallet: ModelWallet,
  subject: Subject,
  amount: number,
  plan: Pick<ModelPlan, 'allowed' | 'taken'>,
  isOverdraft = false,
): ModelVerdict {
  const verdict: ModelVerdict = { violations: [], warnings: [], fitsAt: null };
  if (amount === 0) return verdict;
  let fitsAt = -Infinity;
  for (const limit of inOrder(wallet.limits)) {
    const requested = requestedOf(limit.subject, wallet, subject, amount, plan);
    for (const window of windowsOf(limit)) {
      const span = windowAt(window, wallet.now);
      const current = usedIn(wallet, limit.subject, span);
      const most = limit.windows[window] ?? Infinity;
      if (requested === 0 || current + requested <= most) continue;
      const enforcement = isOverdraft && limit.enforcement === 'HARD' ? 'SOFT' : limit.enforcement;
      const resetsAt = span.end === Infinity ? null : span.end;
      const over = { subject: limit.subject, window, current, requested, limit: most, enforcement, resetsAt };
      if (enforcement === 'SOFT') verdict.warnings.push(over);
      if (enforcement !== 'HARD') continue;
      verdict.violations.push(over);
      fitsAt = Math.max(fitsAt, requested > most ? Infinity : span.end);
    }
  }
  return { ...verdict, fitsAt: Number.isFinite(fitsAt) ? fitsAt : null };
}

/** How much of a limited subject a use would use; of what pays for a feature nothing while that is not known. */
function requestedOf(
  limited: Subject,
  wallet: ModelWallet,
  subject: Subject,
  amount: number,
  { allowed, taken }: Pick<ModelPlan, 'allowed' | 'taken'>,
): number {
  if (nameOf(limited) === nameOf(subject)) return amount;
  if (!('product' in limited && 'feature' in subject && allowed)) return 0;
  let units = 0;
  for (const { batch, amount: own } of taken) if (wallet.batchAt(batch).product === limited.product) units += own;
  return units;
}

/** Why a use is refused, with what else stands against it; undefined when it is not. What is short goes before limits. */
export function refuseUse(
  wallet: ModelWallet,
  { allowed }: Pick<ModelPlan, 'allowed'>,
  { violations, fitsAt }: ModelVerdict,
  otherCodes: readonly string[] = [],
): Expected | undefined {
  const codes = [...otherCodes];
  if (!allowed) codes.push('insufficient_quota');
  else if (violations.length > 0) codes.push('limit_exceeded');
  if (codes.length === 0) return undefined;
  const retryAfterS = fitsAt === null ? null : Math.ceil((fitsAt - wallet.now) / 1_000);
  return { outcome: 'refused', codes, limits: { violations, retryAfterS } };
}

/** Those of features first, by name. */
function inOrder(limits: readonly LimitTerms[]): LimitTerms[] {
  return [...limits].sort((a, b) => (nameOf(a.subject) < nameOf(b.subject) ? -1 : 1));
}

function nameOf(subject: Subject): string {
  return 'feature' in subject ? `feature ${subject.feature}` : `product ${subject.product}`;
}
