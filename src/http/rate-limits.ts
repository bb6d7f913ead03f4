// How many requests a minute are taken: from an address, with a key, with a customer's token. Counted in the memory of each process.
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import { AppError } from '../errors/app-error.js';

const WINDOW_MS = 60_000;
/** Addresses and keys that are counted at a time, each; those that were seen longest ago are forgotten. */
const COUNTED_MAX = 10_000;
const HEALTH_PREFIX = '/health/';

/** Requests a minute; null is without a limit. */
export interface RateLimits {
  perAddress: number | null;
  perKey: number | null;
  perCustomer: number | null;
}

/** Refuses a request that is one too many. Throws: rate_limited. */
type Limit = (request: FastifyRequest) => Promise<void>;

/** Limits addresses, probes aside; what it returns limits whoever a token names. Must be awaited before routes are added. */
export async function registerRateLimits(
  app: FastifyInstance,
  limits: RateLimits,
): Promise<onRequestHookHandler | undefined> {
  const { perAddress, perKey, perCustomer } = limits;
  await app.register(rateLimit, { global: false, cache: COUNTED_MAX, timeWindow: WINDOW_MS });
  if (perAddress !== null) {
    const limit = limitBy(app, perAddress, 'this address');
    app.addHook('onRequest', async (request) => {
      if (!request.routeOptions.url?.startsWith(HEALTH_PREFIX)) await limit(request);
    });
  }
  if (perKey === null && perCustomer === null) return undefined;
  const limitKey = perKey === null ? undefined : limitBy(app, perKey, 'this API key', ownerOf);
  const limitCustomer = perCustomer === null ? undefined : limitBy(app, perCustomer, 'this customer', ownerOf);
  // No promise where nothing is counted, as with keys by default: each request would pay for it.
  return (request, _reply, done) => {
    const limit = request.actor?.customer ? limitCustomer : limitKey;
    if (limit === undefined) done();
    else limit(request).then(() => done(), done);
  };
}

/** A rotated key goes on with the count of the one before. */
function ownerOf({ actor }: FastifyRequest): string {
  return actor?.ownerId ?? '';
}

function limitBy(
  app: FastifyInstance,
  max: number,
  whose: string,
  keyGenerator?: (request: FastifyRequest) => string,
): Limit {
  const count = app.createRateLimit({ max, ...(keyGenerator && { keyGenerator }) });
  return async (request) => {
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    const detail = `More than ${max} requests a minute came from ${whose}.`;
    throw new AppError('rate_limited', detail, { retryAfterS: counted.ttlInSeconds });
  };
}
