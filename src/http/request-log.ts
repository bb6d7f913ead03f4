// One line per request, when it is done: method, route, status, duration. Never the URL itself, a header or a body, which name people.
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';

const HEALTH_PREFIX = '/health/';

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
    const line = {
      method: request.method,
      route,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (error) request.log.error({ ...line, err: error }, 'request broke off');
    else if (route?.startsWith(HEALTH_PREFIX)) request.log.debug(line, 'request');
    else request.log.info(line, 'request');
  }
}
