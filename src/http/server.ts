// The HTTP server below Fastify, and what it answers itself: to what never becomes a request. Knows sockets, not routes.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '../errors/app-error.js';
import type { Ids } from '../lib/ids.js';
import { HEADER_BYTES_MAX, KEEP_ALIVE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './bounds.js';
import { rawProblemAnswer } from './problem.js';

/** Makes the server. `handle` gets every request; who can't be served at all gets a problem, with an id of `ids`. */
export function createHttpServer(handle: RequestListener, ids: Ids): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Node would refuse with an empty answer; ours is a problem.
      requireHostHeader: false,
    },
    handle,
  );
  // An expectation may be passed over (RFC 9110, 10.1.1); Node would refuse it with an empty answer.
  server.on('checkExpectation', handle);
  server.on('connect', (_request, socket: Duplex) => {
    const refusal = new AppError('route_not_found', 'There is no CONNECT on this path.');
    socket.on('error', () => {});
    socket.end(rawProblemAnswer(refusal, ids.next()), () => socket.destroy());
  });
  return server;
}
