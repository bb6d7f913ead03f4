// The HTTP application: the complete, ordered list of plugins and routes. Opens nothing and listens on nothing; what it needs is handed in.
import type { IncomingMessage } from 'node:http';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Deps } from './deps.js';
import { ATTEMPTS_MAX, endOf } from './engine/attempts.js';
import { AppError } from './errors/app-error.js';
import { catalogue } from './errors/catalogue.js';
import { registerAuth } from './http/auth.js';
import { BASE_PATH } from './http/base-path.js';
import {
  ANSWER_TIMEOUT_MS,
  BODY_BYTES_MAX,
  CLOSING_WORK_MS,
  LONG_ANSWER_TIMEOUT_MS,
  PARAM_LENGTH_MAX,
  PLUGIN_TIMEOUT_MS,
} from './http/bounds.js';
import { buildOf } from './http/build.js';
import { callerRequestId, correlationOf } from './http/correlation.js';
import { registerCors } from './http/cors.js';
import { hostFault } from './http/host.js';
import { registerJsonBody } from './http/json-body.js';
import { shedLoad } from './http/load-shedding.js';
import { methodFault, trackMethods } from './http/methods.js';
import { registerOpenapi } from './http/openapi.js';
import { sendProblem } from './http/problem.js';
import { registerRateLimits } from './http/rate-limits.js';
import { registerReference } from './http/reference.js';
import { RequestLog } from './http/request-log.js';
import { countUnreadable, measureRequests } from './http/request-metrics.js';
import type { DeclaredRoute } from './http/route.js';
import { addSecurityHeaders } from './http/security-headers.js';
import { Connections, closeAfterUnread } from './http/server.js';
import { traceRequests } from './http/traces.js';
import { UnderWay } from './http/under-way.js';
import { watchEventLoop } from './lib/event-loop.js';
import type { Tracer } from './lib/otlp.js';
import { registerApiKeys } from './routes/api-keys.js';
import { registerAudit } from './routes/audit.js';
import { registerCatalog } from './routes/catalog.js';
import { registerCheckout } from './routes/checkout.js';
import { registerCredits } from './routes/credits.js';
import { registerCustomerTokens } from './routes/customer-tokens.js';
import { registerCustomers } from './routes/customers.js';
import { registerDeliveries } from './routes/deliveries.js';
import { registerEndpoints } from './routes/endpoints.js';
import { registerErase } from './routes/erase.js';
import { registerEvents, webhooks } from './routes/events.js';
import { examples } from './routes/examples.js';
import { registerExchange } from './routes/exchange.js';
import { registerGrants } from './routes/grants.js';
import { registerHealth } from './routes/health.js';
import { registerIdentify } from './routes/identify.js';
import { registerInvariants } from './routes/invariants.js';
import { registerJobs } from './routes/jobs.js';
import { registerLimits } from './routes/limits.js';
import { registerMerge } from './routes/merge.js';
import { registerMetrics } from './routes/metrics.js';
import { registerOrders } from './routes/orders.js';
import { registerPaymentInbox } from './routes/payment-inbox.js';
import { registerPaymentSources } from './routes/payment-sources.js';
import { registerQuota } from './routes/quota.js';
import { registerReceipts } from './routes/receipts.js';
import { registerReconciliation } from './routes/reconciliation.js';
import { registerReferralPrograms } from './routes/referral-programs.js';
import { registerReferrals } from './routes/referrals.js';
import { registerRefunds } from './routes/refunds.js';
import { registerReservations } from './routes/reservations.js';
import { registerRewards } from './routes/rewards.js';
import { registerSandbox } from './routes/sandbox.js';
import { registerSubscriptions } from './routes/subscriptions.js';
import { registerUsage } from './routes/usage.js';
import { registerVersion } from './routes/version.js';
import { registerWallet } from './routes/wallet.js';

const MS_PER_S = 1_000;

/** Adds the routes of one resource to an app whose prefix is the base path. */
export type RegisterRoutes = (app: FastifyInstance, deps: Deps) => void;

/** One line for each resource, in the order of the reference, whose examples it makes a story. */
const resources: readonly RegisterRoutes[] = [
  registerIdentify,
  registerCustomers,
  registerMerge,
  registerErase,
  registerCatalog,
  registerOrders,
  registerRefunds,
  registerCheckout,
  registerPaymentInbox,
  registerPaymentSources,
  registerReconciliation,
  registerGrants,
  registerCredits,
  registerWallet,
  registerQuota,
  registerReceipts,
  registerUsage,
  registerReservations,
  registerLimits,
  registerExchange,
  registerReferralPrograms,
  registerReferrals,
  registerSubscriptions,
  registerRewards,
  registerEvents,
  registerEndpoints,
  registerDeliveries,
  registerAudit,
  registerCustomerTokens,
  registerApiKeys,
  registerInvariants,
  registerSandbox,
  registerJobs,
];

/** What was answered, for tests that compare it with what was declared. */
export interface GivenAnswer {
  method: string;
  url: string;
  /** Undefined for an unknown route. */
  declared: DeclaredRoute | undefined;
  status: number;
  contentType: string;
  body: unknown;
}

export interface AppOptions {
  /** Resources beside the product's own; tests of the HTTP layer bring theirs. */
  extraResources?: readonly RegisterRoutes[];
  /** How long a request may take; tests shorten it. */
  answerTimeoutMs?: number;
  longAnswerTimeoutMs?: number;
  /** Sees every answer just before it is sent; for tests. */
  onAnswer?: (answer: GivenAnswer) => void;
  /** Whether the process was asked to stop: then it is not ready, and answers end their connections, while it still listens. */
  isStopping?: () => boolean;
  /** Where spans of requests go. */
  tracer?: Tracer;
  /** Of which commit the build is. */
  commit?: string | null;
}

/** Builds the app, ready to listen or to be handed requests. Closing it drains what is under way; the database stays the caller's. */
export async function buildApp(deps: Deps, options: AppOptions = {}): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = deps.log;
  const connections = new Connections(deps.ids);
  const app = fastify({
    loggerInstance,
    logController: new RequestLog(),
    genReqId: () => deps.ids.next(),
    childLoggerFactory: (logger, bindings, opts, raw) =>
      logger.child({ ...bindings, ...correlationOf((raw as IncomingMessage).headers) }, opts),
    bodyLimit: BODY_BYTES_MAX,
    pluginTimeout: PLUGIN_TIMEOUT_MS,
    serverFactory: (handle) => connections.createServer(handle),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    trustProxy: deps.config.trustedProxies.length > 0 ? [...deps.config.trustedProxies] : false,
    // While closing, requests on open connections are served and told to close, so that none is lost.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      closeAfterUnread(request.raw, reply.raw);
      sendProblem(error, request as FastifyRequest, reply as FastifyReply);
    },
    clientErrorHandler(error, socket) {
      const refused = connections.refuse(error, socket);
      if (refused) noteUnreadable(deps, refused);
    },
  });

  measureRequests(app, deps.metrics);
  if (options.tracer) traceRequests(app, options.tracer);
  const eventLoop = watchEventLoop((longestMs) => deps.metrics.observeDelay(longestMs / MS_PER_S));
  app.addHook('onClose', async () => eventLoop.end());
  addSecurityHeaders(app);
  await registerCors(app, deps.config.corsOrigins);
  const limit = await registerRateLimits(app, deps.config.rateLimits);
  app.setErrorHandler((error, request, reply) => sendProblem(meaningOf(error, request), request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(request), request, reply));
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', callerRequestId(request.headers) ?? request.id);
    // What no route takes is refused before its body is read.
    const wrongMethod = methodFault(request);
    if (wrongMethod) reply.header('allow', wrongMethod.allow);
    done(hostFault(request.raw) ?? wrongMethod?.error ?? (request.is404 ? notFound(request) : undefined));
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    closeAfterUnread(request.raw, reply.raw);
    done();
  });
  const underWay = new UnderWay(
    options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
    options.longAnswerTimeoutMs ?? LONG_ANSWER_TIMEOUT_MS,
  );
  app.decorate('underWay', underWay);
  const levelNow = shedLoad(app, deps.config.shedding, eventLoop);
  deps.metrics.watch(
    'bursar_shedding',
    'Whom it turns away: 0 nobody, 1 who asks for dear things, 2 everybody.',
    levelNow,
  );
  const isStopping = closeConnectionsWhenStopping(app, { connections, underWay, isAsked: options.isStopping });
  app.addHook('preClose', (done) => {
    deps.horizon.end();
    done();
  });
  if (options.onAnswer) observeAnswers(app, options.onAnswer);

  app.decorate('positionNow', () => deps.replica.position());
  registerJsonBody(app);
  await registerAuth(app, (token) => deps.actors.of(token), limit);
  const refuseOtherMethods = trackMethods(app);
  await registerOpenapi(app, examples, webhooks);
  if (deps.config.docs !== 'off') await registerReference(app, deps.config.docs);
  registerHealth(app, deps, isStopping);
  const build = buildOf(options.commit ?? null);
  registerVersion(app, build);
  registerMetrics(app, deps, build);
  followClock(app, deps);
  await app.register(
    async (api) => {
      const served = deps.config.role === 'worker' ? [] : resources;
      for (const register of [...served, ...(options.extraResources ?? [])]) register(api, deps);
    },
    { prefix: BASE_PATH },
  );
  refuseOtherMethods();
  await app.ready();
  return app;
}

/** A clock that other processes set, too, is looked at before each request. */
function followClock(app: FastifyInstance, { clock, config }: Deps): void {
  if (config.isSandbox) app.addHook('onRequest', async () => clock.refresh?.());
}

function notFound({ method }: FastifyRequest): AppError {
  return new AppError('route_not_found', `There is no ${method} on this path.`);
}

/** A body that broke off has no answer that anybody reads. What the database could not do outside the engine, too, is no defect of the request. */
function meaningOf(error: unknown, { raw }: FastifyRequest): unknown {
  if (raw.destroyed && raw.complete === false)
    return new AppError('invalid_request', 'The body broke off.', { cause: error });
  return endOf(error, ATTEMPTS_MAX)?.error;
}

/** What never became a request has no line of its own otherwise. */
function noteUnreadable(
  { log, metrics }: Deps,
  { refusal, requestId }: { refusal: AppError; requestId: string },
): void {
  const { code, message } = refusal;
  const { status } = catalogue[code];
  countUnreadable(metrics, status, code);
  log.info({ request_id: requestId, status, code }, `unreadable request: ${message}`);
}

interface Stopping {
  connections: Connections;
  underWay: UnderWay;
  isAsked: (() => boolean) | undefined;
}

/**
 * Has answers end their connections once the process stops: a client that keeps one would send its next request to nobody, or hold up closing until the
 * keep-alive timeout. Returns whether it stops.
 */
function closeConnectionsWhenStopping(
  app: FastifyInstance,
  { connections, underWay, isAsked }: Stopping,
): () => boolean {
  let isClosing = false;
  const isStopping = () => isClosing || isAsked?.() === true;
  app.addHook('preClose', (done) => {
    isClosing = true;
    connections.boundClosing(app.server);
    app.log.info({ requests: underWay.count() }, 'no more connections are taken; what is under way is answered');
    const timer = setTimeout(() => {
      const requests = underWay.count();
      if (requests > 0) app.log.warn({ requests }, 'not done in time: their callers are told to try again');
      underWay.giveUpAll();
    }, CLOSING_WORK_MS).unref();
    app.server.once('close', () => clearTimeout(timer));
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping()) reply.header('connection', 'close');
    done();
  });
  return isStopping;
}

function observeAnswers(app: FastifyInstance, onAnswer: (answer: GivenAnswer) => void): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    onAnswer({
      method: request.method,
      url: request.routeOptions.url ?? request.url,
      declared: request.routeOptions.config.declared,
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? ''),
      body: payload,
    });
    done();
  });
}
