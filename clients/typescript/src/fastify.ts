// Reserve-then-deduct as a Fastify plugin: routes say in their config what they charge.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type ChargeSettings,
  type Charges,
  isProblem,
  isSkipped,
  type Meter,
  type Metering,
  type ProblemAnswer,
  type Skip,
  toCharges,
  type Work,
} from './meter.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route charges; false for nothing, where the plugin has charges for all. */
    charges?: Charges<FastifyRequest> | false;
  }
  interface FastifyRequest {
    /** What is held for this request; null where nothing is charged. */
    metering: Metering | null;
  }
}

export interface MeterRoutesOptions {
  meter: Meter<FastifyRequest>;
  /** What every route charges that says nothing itself. */
  charges?: Charges<FastifyRequest>;
  /** Paths for which `charges` do not hold. */
  skip?: Skip<FastifyRequest>;
}

/** What the plugin keeps of a request. */
interface Kept {
  work: Work;
  /** The object that the handler returned, before it was made a text. */
  answer: unknown;
}

/**
 * Holds what a route charges before its handler runs (as a preHandler hook: whoever signs users in does so before), and charges what was used before the
 * answer leaves, which `X-Credits-Deducted` then tells; streams pass through, and are charged at their end. Closes the meter with the app.
 * Throws: TypeError for charges that can't be right, when the plugin or the route is registered.
 */
export async function meterRoutes(app: FastifyInstance, options: MeterRoutesOptions): Promise<void> {
  const { meter, skip } = options;
  const common = options.charges === undefined ? undefined : toCharges(options.charges);
  const kept = new WeakMap<FastifyRequest, Kept>();
  const ofRoutes = new WeakMap<object, readonly ChargeSettings<FastifyRequest>[]>();

  const chargesOf = (request: FastifyRequest): readonly ChargeSettings<FastifyRequest>[] | undefined => {
    const { charges } = request.routeOptions.config;
    if (charges === false || request.is404) return undefined;
    if (charges !== undefined) return ofRoutes.get(charges) ?? toCharges(charges);
    const path = request.url.split('?', 1)[0] ?? '';
    return isSkipped(skip, path, request) ? undefined : common;
  };

  app.decorateRequest('metering', null);
  app.addHook('onRoute', ({ config }) => {
    if (config?.charges) ofRoutes.set(config.charges, toCharges(config.charges));
  });
  app.addHook('preHandler', async (request, reply) => {
    const charges = chargesOf(request);
    if (!charges) return;
    const work = await meter.begin(
      { request, headerOf: (name) => joined(request.headers[name.toLowerCase()]) },
      charges,
    );
    if (isProblem(work)) return send(reply, work);
    kept.set(request, { work, answer: undefined });
    request.metering = work;
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) work.abort();
      else void work.settle({ status: reply.statusCode, isSent: true });
    });
    if (reply.raw.destroyed) work.abort(); // gone while the hold was made
    return undefined;
  });
  app.addHook('preSerialization', async (request, _reply, payload) => {
    const own = kept.get(request);
    if (own) own.answer = payload;
    return payload;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const own = kept.get(request);
    if (!own || (own.answer === undefined && isStream(payload))) return payload;
    const answer = own.answer ?? parse(payload);
    const { instead, headers } = await own.work.settle({ status: reply.statusCode, answer, isSent: false });
    if (!instead) {
      reply.headers(headers);
      return payload;
    }
    reply.removeHeader('content-length');
    reply.removeHeader('content-encoding');
    reply.removeHeader('etag');
    reply.code(instead.status).headers(instead.headers);
    return instead.body;
  });
  app.addHook('onClose', () => meter.close());
}
// hooks and decorators are for the app that registers it, not for the plugin alone
Object.assign(meterRoutes, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'bursar-meter',
});

function send(reply: FastifyReply, { status, headers, body }: ProblemAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function isStream(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && ('pipe' in payload || 'getReader' in payload);
}

function parse(payload: unknown): unknown {
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) return undefined;
  try {
    return JSON.parse(typeof payload === 'string' ? payload : new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
