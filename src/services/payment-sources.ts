// Sources of payments: providers without a file of their own, which are put over the API. Their secrets are kept encrypted, as those of endpoints are.
import type { Actor } from '../call.js';
import { findPaymentSource, listPaymentSources, lockPaymentSources } from '../db/payment-sources.js';
import type { Deps } from '../deps.js';
import { restOnSecretKeys } from '../engine/secret-keys.js';
import { AppError } from '../errors/app-error.js';
import { canonicalPaymentMethod } from '../ledger/orders.js';
import type { PaymentSource } from '../ledger/payment-entities.js';
import { seal, unseal } from '../lib/sealed.js';
import { readSecretKeys } from '../lib/secret-keys.js';
import { isWebhookSecret, makeWebhookSecret } from '../lib/webhook-signature.js';

/** Sources that there may be. */
const SOURCES_MAX = 100;
/** For how long the secret before counts, too. */
const SECRET_OVERLAP_MS = 86_400_000;
const PURPOSE = 'payment source secrets';

export interface SourceTerms
  extends Pick<PaymentSource, 'name' | 'description' | 'isEnabled' | 'paymentMethod' | 'signature' | 'mapping'> {
  /** What it signs with from now on; the present one is kept when left out, and drawn for a new source. */
  secret: string | undefined;
}

/** A source, and what it signs with. */
export interface PutSource {
  source: PaymentSource;
  secret: string;
  isNew: boolean;
}

type Keyed = Pick<Deps, 'config'>;

function sealFor({ config }: Keyed, owner: string, secret: string): string {
  return seal(readSecretKeys(config.secretKey), { purpose: PURPOSE, owner }, secret);
}

function openOf({ config }: Keyed, owner: string, sealed: string): string {
  return unseal(readSecretKeys(config.secretKey), { purpose: PURPOSE, owner }, sealed);
}

function sourceNotFound(name: string): AppError {
  return new AppError('payment_source_not_found', `There is no source ${name}.`, { pointer: 'path/name' });
}

/** All sources, by name. */
export function getPaymentSources({ db }: Pick<Deps, 'db'>): Promise<PaymentSource[]> {
  return listPaymentSources(db);
}

/** A source by its name. Throws: payment_source_not_found. */
export async function getPaymentSource({ db }: Pick<Deps, 'db'>, name: string): Promise<PaymentSource> {
  const source = await findPaymentSource(db, name);
  if (!source) throw sourceNotFound(name);
  return source;
}

/** A source with the secrets that count now, the newest first; undefined where there is none. */
export async function findOpenSource(
  deps: Pick<Deps, 'db' | 'config' | 'clock'>,
  name: string,
): Promise<{ source: PaymentSource; secrets: string[] } | undefined> {
  const source = await findPaymentSource(deps.db, name);
  if (!source) return undefined;
  const { sealedSecret, oldSealedSecret, oldSecretUntil } = source;
  const isOldKept = oldSealedSecret !== null && oldSecretUntil !== null && oldSecretUntil > deps.clock.now();
  const secrets = [sealedSecret, ...(isOldKept ? [oldSealedSecret] : [])].map((each) => openOf(deps, name, each));
  return { source, secrets };
}

/** Creates or replaces a source. Locks: all sources. Throws: too_many_payment_sources, invalid_request (the present secret can't be kept). */
export async function putPaymentSource(deps: Deps, terms: SourceTerms, actor: Actor): Promise<PutSource> {
  await restOnSecretKeys(deps);
  const drawn = terms.secret ?? makeWebhookSecret();
  const made = new Set<number>(); // by an attempt whose outcome was not learnt
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockPaymentSources,
    load: listPaymentSources,
    decide: (known, now, changes) => {
      const before = known.find(({ name }) => name === terms.name);
      if (!before && known.length >= SOURCES_MAX) {
        const detail = `There are ${SOURCES_MAX} sources, which is as many as there may be.`;
        throw new AppError('too_many_payment_sources', detail, { pointer: 'path/name' });
      }
      const { secret, paymentMethod: method, ...rest } = terms;
      const paymentMethod = canonicalPaymentMethod(method);
      const present = before && openOf(deps, before.name, before.sealedSecret);
      const isKept = before !== undefined && (secret === undefined || secret === present);
      if (isKept && present !== undefined) assertSignsWith(terms.signature, present);
      const secrets = isKept ? secretsOf(before) : replaced(deps, terms.name, { before, drawn, now });
      const dates = { createdAt: before?.createdAt ?? now, updatedAt: now };
      const source = { ...rest, paymentMethod, ...secrets, ...dates };
      changes.paymentSources.push({ before, after: source, at: now, actingKey: actor.keyId });
      const isNew = before === undefined || made.has(before.createdAt.getTime());
      if (isNew) made.add(source.createdAt.getTime());
      return { source, secret: isKept && present !== undefined ? present : drawn, isNew };
    },
  });
}

/** A secret of one scheme may be none of another. Throws: invalid_request. */
function assertSignsWith({ scheme }: PaymentSource['signature'], secret: string): void {
  if (scheme !== 'standard_webhooks' || isWebhookSecret(secret)) return;
  const detail = 'The present secret is none of Standard Webhooks, which is whsec_ and the base64 of 24 to 64 bytes.';
  throw new AppError('invalid_request', detail, { pointer: '/secret' });
}

type Secrets = Pick<PaymentSource, 'sealedSecret' | 'oldSealedSecret' | 'oldSecretUntil'>;

function secretsOf({ sealedSecret, oldSealedSecret, oldSecretUntil }: PaymentSource): Secrets {
  return { sealedSecret, oldSealedSecret, oldSecretUntil };
}

/** Another secret, beside which the one before counts for a day more. */
function replaced(
  deps: Keyed,
  name: string,
  { before, drawn, now }: { before: PaymentSource | undefined; drawn: string; now: Date },
): Secrets {
  return {
    sealedSecret: sealFor(deps, name, drawn),
    oldSealedSecret: before?.sealedSecret ?? null,
    oldSecretUntil: before ? new Date(now.getTime() + SECRET_OVERLAP_MS) : null,
  };
}

/** Deletes a source; what came from it stays. Locks: all sources. Throws: payment_source_not_found. */
export async function deletePaymentSource(deps: Deps, name: string, actor: Actor): Promise<void> {
  await deps.engine.manage({
    opener: 'prisma',
    lock: lockPaymentSources,
    load: (tx) => findPaymentSource(tx, name),
    decide: (before, at, changes) => {
      if (!before) throw sourceNotFound(name);
      changes.paymentSources.push({ before, after: undefined, at, actingKey: actor.keyId });
    },
  });
}
