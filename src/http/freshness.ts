// How new a read has to be, as its caller says: by the position that the answer to a write had, which he sends back.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Freshness } from '../call.js';
import { AppError } from '../errors/app-error.js';

const HEADER = 'bursar-position';
const LATEST = 'latest';

declare module 'fastify' {
  interface FastifyInstance {
    /** What a reader sends who has to see all that is written by now; undefined where every read is of the primary. */
    positionNow: () => Promise<string | undefined>;
  }
}

/** What a request says of it. Who asks for a page behind another one has to see what that one was read from. Throws: invalid_request (the header). */
export function readFreshness({ headers, query }: FastifyRequest): Freshness {
  const isFollowing = (query as { cursor?: unknown }).cursor !== undefined;
  const given = headers[HEADER];
  if (given === undefined || given === LATEST) return { seen: given, isFollowing };
  const seen = /^\d{1,16}$/.test(String(given)) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(seen)) return { seen, isFollowing };
  const pointer = `header/${HEADER}`;
  const message = `must be what an answer had in it, or ${LATEST}`;
  throw new AppError('invalid_request', `${pointer}: ${message}`, { errors: [{ pointer, code: 'invalid', message }] });
}

/** Adds to the answer of a write what its caller sends with reads that have to see it. */
export async function tellPosition({ server }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const position = await server.positionNow();
  if (position !== undefined) reply.header(HEADER, position);
}
