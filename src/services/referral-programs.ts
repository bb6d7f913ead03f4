// Referral programmes: what each side of a referral is promised. What was armed keeps the terms that its programme had then.
import type { Actor } from '../call.js';
import { findOrderableOffers } from '../db/catalog.js';
import { findReferralProgram, listReferralPrograms, lockReferralPrograms } from '../db/referral-programs.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { requireGrantable } from '../ledger/giving.js';
import type { ReferralProgram } from '../ledger/reward-entities.js';

/** Programmes that there may be. */
const PROGRAMS_MAX = 100;

export type ProgramTerms = Omit<ReferralProgram, 'createdAt' | 'updatedAt'>;

function programNotFound(key: string): AppError {
  return new AppError('referral_program_not_found', `There is no referral programme ${key}.`, { pointer: 'path/key' });
}

/** All programmes, by key. */
export function getReferralPrograms({ db }: Pick<Deps, 'db'>): Promise<ReferralProgram[]> {
  return listReferralPrograms(db);
}

/** A programme by its key. Throws: referral_program_not_found. */
export async function getReferralProgram({ db }: Pick<Deps, 'db'>, key: string): Promise<ReferralProgram> {
  const program = await findReferralProgram(db, key);
  if (!program) throw programNotFound(key);
  return program;
}

/**
 * Creates or replaces a programme; what is so already is left as it is. Locks: all programmes. Throws: offer_not_found, offer_inactive, product_inactive,
 * invalid_request (an offer that gives nothing), too_many_referral_programs.
 */
export async function putReferralProgram(
  deps: Deps,
  terms: ProgramTerms,
  actor: Actor,
): Promise<{ program: ReferralProgram; isNew: boolean }> {
  const sides = [
    { sku: terms.referrerSku, pointer: '/referrer/sku' },
    { sku: terms.refereeSku, pointer: '/referee/sku' },
  ];
  const made = new Set<number>(); // by an attempt whose outcome was not learnt
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockReferralPrograms,
    load: async (tx) => {
      const skus = sides.flatMap(({ sku }) => sku ?? []);
      const [known, offers] = await Promise.all([listReferralPrograms(tx), findOrderableOffers(tx, skus)]);
      return { known, offers };
    },
    decide: ({ known, offers }, now, changes) => {
      const before = known.find(({ key }) => key === terms.key);
      if (!before && known.length >= PROGRAMS_MAX) {
        const detail = `There are ${PROGRAMS_MAX} programmes, which is as many as there may be.`;
        throw new AppError('too_many_referral_programs', detail, { pointer: 'path/key' });
      }
      for (const { sku, pointer } of sides) if (sku !== null) requireGrantable(sku, offers.get(sku), pointer);
      const program = { ...terms, createdAt: before?.createdAt ?? now, updatedAt: now };
      changes.referralPrograms.push({ before, after: program, at: now, actingKey: actor.keyId });
      const isNew = before === undefined || made.has(before.createdAt.getTime());
      if (isNew) made.add(program.createdAt.getTime());
      return { program, isNew };
    },
  });
}

/** Deletes a programme; what it armed stays. Locks: all programmes. Throws: referral_program_not_found. */
export async function deleteReferralProgram(deps: Deps, key: string, actor: Actor): Promise<void> {
  await deps.engine.manage({
    opener: 'prisma',
    lock: lockReferralPrograms,
    load: (tx) => findReferralProgram(tx, key),
    decide: (before, at, changes) => {
      if (!before) throw programNotFound(key);
      changes.referralPrograms.push({ before, after: undefined, at, actingKey: actor.keyId });
    },
  });
}
