// The HTTP server below Fastify: what a connection may cost, and what is answered to what never becomes a request. Knows sockets, not routes.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '../errors/app-error.js';
import type { Ids } from '../lib/ids.js';
import {
  CLOSING_TICK_MS,
  CLOSING_TICKS_MAX,
  CONNECTION_CHECK_MS,
  HEADER_BYTES_MAX,
  KEEP_ALIVE_TIMEOUT_MS,
  PIPELINED_MAX,
  REQUEST_TIMEOUT_MS,
  SILENCE_TIMEOUT_MS,
  UNREAD_BYTES_MAX,
  UNREAD_TICK_MS,
  UNREAD_TICKS_MAX,
} from './bounds.js';
import { parserRefusal, rawProblemAnswer } from './problem.js';

interface Connection {
  /** The answer that is owed or being sent, or the last that was. */
  head: ServerResponse | undefined;
  /** Requests that wait until the one before them is answered. */
  waiting: number;
  /** Whether what came is no HTTP, so that nothing more is read. */
  isBroken: boolean;
  /** For how many ticks since the closing began nothing has been worked on here. */
  quietTicks: number;
}

/** The connections of the process. */
export class Connections {
  readonly #open = new Map<Duplex, Connection>();
  readonly #ids: Ids;

  /** `ids` name the answers to what never becomes a request. */
  constructor(ids: Ids) {
    this.#ids = ids;
  }

  /** Makes a server. `handle` gets the requests of a connection one at a time, each when the one before it is answered and gone. */
  createServer(handle: RequestListener): Server {
    const server = createServer({
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
      // Node would refuse with an empty answer; ours is a problem.
      requireHostHeader: false,
    });
    server.timeout = SILENCE_TIMEOUT_MS;
    // Their bytes are bounded. Of more than 2,000 Node would drop the last without a word, an idempotency key among them.
    server.maxHeadersCount = 0;
    const take = (request: IncomingMessage, response: ServerResponse) => this.#take(request, response, handle);
    server.on('request', take);
    // An expectation may be passed over (RFC 9110, 10.1.1); Node would refuse it with an empty answer.
    server.on('checkExpectation', take);
    server.on('connection', (socket) => {
      this.#open.set(socket, { head: undefined, waiting: 0, isBroken: false, quietTicks: 0 });
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('connect', (_request, socket) => {
      const refusal = new AppError('route_not_found', 'There is no CONNECT on this path.');
      socket.on('error', () => {});
      socket.end(rawProblemAnswer(refusal, this.#ids.next()), () => socket.destroy());
    });
    return server;
  }

  #take(request: IncomingMessage, response: ServerResponse, handle: RequestListener): void {
    const connection = this.#open.get(request.socket);
    if (!connection || request.socket.destroyed) return;
    const serve = () => {
      connection.head = response;
      handle(request, response);
    };
    // An answer gets the socket once those before it are sent.
    if (response.socket !== null) {
      serve();
      return;
    }
    connection.waiting += 1;
    if (connection.waiting > PIPELINED_MAX) {
      request.socket.destroy();
      return;
    }
    response.once('socket', () => {
      connection.waiting -= 1;
      if (!request.socket.destroyed) serve();
    });
  }

  /**
   * Ends a connection on which something came that Node's parser refuses: with a problem, unless an answer is owed to a request before it. Returns the
   * refusal, and the id under which it was answered.
   */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): { refusal: AppError; requestId: string } | undefined {
    const connection = this.#open.get(socket);
    const head = connection?.head;
    const isReset = error.code === 'ECONNRESET';
    if (connection && head?.req.complete && !head.writableFinished && !isReset) {
      // The answer would be taken for that of the request before.
      if (!connection.isBroken) head.once('close', () => socket.destroy());
      // Else the client would send its next request into a connection that ends.
      if (!head.headersSent) head.setHeader('connection', 'close');
      connection.isBroken = true;
      return undefined;
    }
    const isAnswered = head?.headersSent === true && !head.req.complete;
    const isOwed = !isReset && !isAnswered && socket.writable;
    const answer = isOwed ? { refusal: parserRefusal(error.code), requestId: this.#ids.next() } : undefined;
    if (answer) socket.write(rawProblemAnswer(answer.refusal, answer.requestId));
    socket.destroy(error);
    return answer;
  }

  /** Lets `server` close in time: connections on which nothing is worked on are cut after a while, whatever still comes or goes over them. */
  boundClosing(server: Server): void {
    if (!server.listening) return;
    const timer = setInterval(() => this.#cutQuiet(), CLOSING_TICK_MS);
    server.once('close', () => clearInterval(timer));
  }

  #cutQuiet(): void {
    for (const [socket, connection] of this.#open) {
      const { head } = connection;
      const isWorkedOn = head?.req.complete === true && !head.headersSent;
      connection.quietTicks = isWorkedOn ? 0 : connection.quietTicks + 1;
      if (connection.quietTicks >= CLOSING_TICKS_MAX) socket.destroy();
    }
  }
}

/**
 * Called before an answer is sent: closes the connection after it when the body of the request has not come yet, since nobody is going to read it. It is read
 * on for a bounded time and thrown away, because a connection that is closed at once may take the answer with it (RFC 9112, 9.6).
 */
export function closeAfterUnread(request: IncomingMessage, response: ServerResponse): void {
  const { headers, socket, complete } = request;
  // Requests that are injected without a connection don't say whether they are complete.
  if (complete !== false || (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)))
    return;
  response.setHeader('connection', 'close');
  socket.destroySoon = () => {
    const bytesBefore = socket.bytesRead;
    let ticks = 0;
    socket.end();
    const timer = setInterval(() => {
      ticks += 1;
      const isEnough = ticks >= UNREAD_TICKS_MAX || socket.bytesRead - bytesBefore > UNREAD_BYTES_MAX;
      if (!request.complete && !socket.destroyed && !isEnough) return;
      clearInterval(timer);
      socket.destroy();
    }, UNREAD_TICK_MS);
  };
}
