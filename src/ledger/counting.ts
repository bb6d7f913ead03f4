// What entries count in the windows of limits (DOMAIN 3.12). The same rules stand in db/counting.ts as SQL, for entries that are counted later.
import type { Subject } from './catalog-entities.js';
import type { Entry, EntryKind } from './entities.js';
import type { UsageWindow } from './limit-entities.js';
import { QUANTITY_MAX } from './quantities.js';

/** At this instant counts what no window but `total` counts: units of a gauge that are given back without naming their use. */
export const BEGINNING = new Date(0);

/** Which way the product units of an entry count. What commits was counted when it was held. */
const SIGNS: Partial<Record<EntryKind, 1 | -1>> = {
  consume: 1,
  hold: 1,
  debt: 1,
  release: -1,
  reverse: -1,
  forgive: -1,
};

/** Counts an entry in the windows in which it lies. */
export function countIn(windows: readonly UsageWindow[], entry: Entry): void {
  if (windows.length === 0 || entry.countedAt === null) return;
  for (const window of windows) {
    if (window.countedTo === null && isIn(window, entry.countedAt)) {
      window.used = Math.min(QUANTITY_MAX, window.used + countedOf(window.subject, entry));
      window.held += heldOf(window.subject, entry);
    }
  }
}

function isIn({ start, end }: UsageWindow, at: Date): boolean {
  return at.getTime() >= start.getTime() && (end === null || at.getTime() < end.getTime());
}

/** What an entry counts of a subject: product units of a product, its own units of a feature. */
function countedOf(subject: Subject, { productKey, feature, kind, amount, counted }: Entry): number {
  if ('feature' in subject) return feature === subject.feature ? (counted ?? 0) : 0;
  return productKey === subject.productKey ? (SIGNS[kind] ?? 0) * amount : 0;
}

/** How much more, or less, is held of a feature. */
function heldOf(subject: Subject, { feature, kind, amount, unitCost, counted }: Entry): number {
  if (!('feature' in subject) || feature !== subject.feature) return 0;
  if (kind === 'commit') return -Math.floor(amount / (unitCost ?? 1));
  return kind === 'hold' || kind === 'release' ? (counted ?? 0) : 0;
}

/**
 * Counts product units that are posted one after the other as whole units of what was asked for: each posting counts the units that it completes.
 * Precondition: what is posted of a product comes to whole units in the end.
 */
export function unitCounter(): (productKey: string, amount: number, unitCost: number) => number {
  const posted = new Map<string, number>();
  return (productKey, amount, unitCost) => {
    const before = posted.get(productKey) ?? 0;
    posted.set(productKey, before + amount);
    return Math.floor((before + amount) / unitCost) - Math.floor(before / unitCost);
  };
}
