// One line per request, when it is done: method, route, status, the code of a refusal, duration. Never the URL itself, a header or a body, which name people.
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { ErrorCode } from '../errors/catalogue.js';

/** Asked again and again. */
const PROBED = /^\/(?:health\/|metrics$)/;

const codes = new WeakMap<FastifyRequest, ErrorCode>();

/** Has the line of a request say with which code it is refused. */
export function noteCode(request: FastifyRequest, code: ErrorCode): void {
  codes.set(request, code);
}

/** The code with which a request is refused; undefined when it is not. */
export function codeOf(request: FastifyRequest): ErrorCode | undefined {
  return codes.get(request);
}

export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'request_id' });
  }

  override incomingRequest(): void {
    // The line at the end says it all.
  }

  override routeNotFound(): void {
    // The 404 has its line at the end like any other answer.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url;
    const code = codes.get(request);
    const line = {
      method: request.method,
      route,
      status: reply.statusCode,
      ...(code !== undefined && { code }),
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (error) request.log.error({ ...line, err: error }, 'request broke off');
    else if (PROBED.test(route ?? '')) request.log.debug(line, 'request');
    else request.log.info(line, 'request');
  }
}
