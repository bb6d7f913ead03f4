// Completes refusals for want of units with what people need beside them: the reasons, and what could be bought. Those that are refused at the same time
// are explained by one statement. A refusal that can't be explained is one all the same.

import { isOutage } from '../db/errors.js';
import { type Explanation, explainShortages, type UpgradeOffer } from '../db/explanations.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { InsufficientQuota, type Shortage } from '../ledger/use.js';
import { createGatherer } from '../lib/gather.js';
import { overloaded } from './attempts.js';
import { byLaneKey } from './lane-key.js';

/** One thing that stands against a use. */
export interface Reason {
  code: 'insufficient_quota' | 'limit_exceeded' | 'expired' | 'not_yet_valid' | 'inactive_product';
  productKey?: string;
  /** When it expired, or when it becomes valid. */
  at?: Date;
}

/** What a caller is told beside the refusal itself. */
export interface Explained {
  reasons: Reason[];
  upgradeOffers: UpgradeOffer[];
  /** The next instants at which units become valid. */
  starts: Date[];
}

export interface Explainer {
  /** Explains a shortage. Never throws. */
  explain(shortage: Shortage): Promise<Explained>;
  /** The refusal with its explanation; another one as it is. */
  complete(refusal: AppError): Promise<AppError>;
}

/** Connections that explain at a time, refusals of one statement, and refusals that wait, at most. */
const EXPLAINERS = 2;
const TOGETHER_MAX = 256;
const WAITING_MAX = 4_096;

const UNEXPLAINED: Explanation = { lastExpiry: null, starts: [], upgradeOffers: [] };

/** Makes the explainer of a process. */
export function createExplainer(deps: Foundations): Explainer {
  const ask = createGatherer<Shortage, Explanation>({
    workersMax: EXPLAINERS,
    waitsOutTurn: true,
    waitingMax: WAITING_MAX,
    refuse: overloaded,
    countTogether: ({ length }) => Math.min(length, TOGETHER_MAX),
    answer: async (together) => {
      const asked = together.map(({ question, resolve }) => ({ ...question, resolve }));
      const explained = await Promise.all(
        byLaneKey(deps, asked).map(async (those) => ({ those, explanations: await explainShortages(deps.db, those) })),
      );
      for (const { those, explanations } of explained) {
        for (const [at, { resolve }] of those.entries()) resolve(explanations[at] ?? UNEXPLAINED);
      }
      return [];
    },
    isEverybodys: isOutage,
    onSharedFailure: (error, refusals) => deps.log.warn({ err: error, refusals }, 'refusals are explained one by one'),
  });
  const explain = async (shortage: Shortage): Promise<Explained> => {
    const explanation = await ask(shortage).catch((error: unknown) => {
      deps.log.warn({ err: error }, 'a refusal could not be explained');
      return UNEXPLAINED;
    });
    return { ...explanation, reasons: reasonsOf(shortage, explanation) };
  };
  return {
    explain,
    complete: async (refusal) => {
      if (!(refusal instanceof InsufficientQuota)) return refusal;
      const { reasons, upgradeOffers } = await explain(refusal.shortage);
      return new AppError(refusal.code, refusal.message, {
        errors: refusal.errors,
        extensions: { ...refusal.extensions, reasons, upgradeSkus: upgradeOffers.map(({ sku }) => sku), upgradeOffers },
      });
    },
  };
}

function reasonsOf({ providers }: Shortage, { lastExpiry, starts: [soonest] }: Explanation): Reason[] {
  return [
    { code: 'insufficient_quota' },
    ...(lastExpiry ? [{ code: 'expired' as const, at: lastExpiry }] : []),
    ...(soonest ? [{ code: 'not_yet_valid' as const, at: soonest }] : []),
    ...providers.flatMap(({ productKey, isActive }) =>
      isActive ? [] : [{ code: 'inactive_product' as const, productKey }],
    ),
  ];
}
