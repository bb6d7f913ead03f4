// What uncounted batches and features come to for a reader: until when access lasts without a gap, and what can be used.

export interface AccessSpan {
  productKey: string;
  validFrom: Date;
  expiresAt: Date | null;
}

/** Present access; `until` is null when it never ends. */
export interface AccessSummary {
  until: Date | null;
}

export interface FeatureSummary {
  canUse: boolean;
  /** In feature units; null when uncounted. */
  remaining: number | null;
}

/**
 * Present access by product, over spans that join without a gap. A product without access now is left out.
 * Precondition: the spans are sorted by `validFrom` and none has ended.
 */
export function summariseAccess(spans: readonly AccessSpan[], now: Date): Map<string, AccessSummary> {
  const access = new Map<string, AccessSummary>();
  for (const { productKey, validFrom, expiresAt } of spans) {
    const known = access.get(productKey);
    if (known?.until === null) continue;
    const covered = known?.until ?? now;
    if (validFrom > covered) continue;
    if (expiresAt === null || expiresAt > covered) access.set(productKey, { until: expiresAt });
  }
  return access;
}

/** What each feature comes to over the products that provide it: uncounted access wins, else the sum of whole feature units. */
export function summariseFeatures(
  features: readonly { feature: string; productKey: string; unitCost: number }[],
  spendable: ReadonlyMap<string, number>,
  access: ReadonlyMap<string, AccessSummary>,
): Map<string, FeatureSummary> {
  const summaries = new Map<string, FeatureSummary>();
  for (const { feature, productKey, unitCost } of features) {
    const known = summaries.get(feature);
    if (known?.remaining === null) continue;
    if (access.has(productKey)) {
      summaries.set(feature, { canUse: true, remaining: null });
      continue;
    }
    const units = Math.floor((spendable.get(productKey) ?? 0) / unitCost);
    const remaining = Math.min(Number.MAX_SAFE_INTEGER, (known?.remaining ?? 0) + units);
    summaries.set(feature, { canUse: remaining > 0, remaining });
  }
  return summaries;
}
