// How a resource declares a route: path, who may call it, schemas, answers and problems in one typed object, from which come validation,
// serialisation, the OpenAPI operation and the check that no undeclared problem leaves. Knows no resource.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Call, Freshness } from '../call.js';
import type { ErrorCode } from '../errors/catalogue.js';
import type { Ability, Scope } from '../lib/scopes.js';
import { idempotencyKeySchema } from '../schemas/text.js';
import { onRefusalSchema } from '../schemas/verdict.js';
import { type Access, securityOf, takesToken } from './auth.js';
import { FILE_BYTES_MAX, SIGNED_BODY_BYTES_MAX } from './bounds.js';
import { type NamedIn, nameOwn, requireOwn } from './customer-bound.js';
import { readFreshness, tellPosition } from './freshness.js';
import { readIdempotencyKey } from './idempotency.js';
import { refuseForeignEncoding } from './json-body.js';
import { foldLists, listsOf, type Query } from './query-lists.js';
import { noteCode } from './request-log.js';
import { zodSerializerCompiler } from './serialisation.js';
import type { Tag } from './tags.js';
import { zodValidatorCompiler } from './validation.js';
import { isRefusal, type Verdict, withVerdict, withVerdicts } from './verdict.js';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The answers of a route by status; an empty answer (204) is `z.undefined()`. */
export type Responses = Record<number, z.ZodType>;

/** The type that fits each of the types of a union. */
type FitsAll<U> = (U extends unknown ? (fits: U) => void : never) extends (fits: infer I) => void ? I : never;

/** A body that is a file: its bytes, and its media type without parameters. */
export interface FileBody {
  bytes: Buffer;
  mediaType: string;
}

/** An answer of success that is a file, to be saved under this name. */
export interface Download {
  status: 200;
  file: FileBody & { name: string };
}

/** What a handler returns: a value for one of the declared statuses, a value that fits whichever status it is, bytes, or a file. */
type Answer<R extends Responses> =
  | { [S in keyof R & number]: { status: S; body: z.output<R[S]> } }[keyof R & number]
  | { status: keyof R & number; body: FitsAll<z.output<R[keyof R & number]>> }
  | Verdict
  | Download;

interface CommonInput<P extends z.ZodObject, Q extends z.ZodObject> {
  params: z.output<P>;
  query: z.output<Q>;
}

/** By media type, what describes a file. */
type Files = Readonly<Record<string, z.ZodType>>;

/**
 * What a handler is given: the validated parts of the request; who calls, where a token says it; where a signature counts, the bytes it is over, and
 * from which address they came; where the body is a file, that file, which nobody looked at; what may be read from a replica, over the database that is.
 */
type RouteInput<
  A extends Access,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  F extends Files | undefined,
  D,
> = CommonInput<P, Q> &
  (A extends 'signature'
    ? { rawBody: Buffer; headers: IncomingHttpHeaders; address: string }
    : F extends Files
      ? { file: FileBody }
      : { body: z.output<B> }) &
  (A extends Scope ? { call: Call } : unknown) &
  (D extends Lagging ? { deps: D } : unknown);

/** What reads from a replica. */
interface Lagging {
  replica: { read<D extends object, T>(deps: D, fresh: Freshness, work: (deps: D) => Promise<T>): Promise<T> };
}

export interface RouteDefinition<
  A extends Access,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  R extends Responses,
  F extends Files | undefined,
  D,
> {
  method: Method;
  /** Below the base path, parameters as `:name`. */
  url: string;
  /** Unique, lowerCamelCase; names the operation in generated clients. */
  operationId: string;
  summary: string;
  description?: string;
  tag: Tag;
  /** What the caller's token must allow; or `public`; or `signature`, whose handler gets the raw body and refuses one that is not signed. */
  access: A;
  /** What a customer's own token must allow; without it none is taken. He is meant where the request names nobody, and nobody else may be named. */
  ability?: Ability;
  params?: P;
  query?: Q;
  body?: B;
  /** Instead of `body`: the media types of the file that the body is. */
  files?: F;
  responses: R;
  /** What 200 may be beside JSON: the media types of a file, each with what describes it. */
  downloads?: Files;
  /** The codes that this route adds to those that every route may answer. */
  problems: readonly ErrorCode[];
  /** Whether a POST records its answer under the idempotency key (the default). When false a key is accepted and ignored. */
  idempotent?: boolean;
  /** Whether it may cost as much as many others, and so is turned away first under load. Lists in pages are, unless they say otherwise. */
  isDear?: boolean;
  /** Over what a read works that need not see the newest: its handler gets it back with the replica as its database, where that can be asked. */
  mayLag?: D;
  /** Which of its requests need not, if not all. */
  lagsIf?(query: z.output<Q>): boolean;
  /** Whether it works through a file, and so may take longer than others. */
  isLong?: boolean;
  /** Body fields that are taken without effect, each with the reason; any other that `body` doesn't know is refused. */
  tolerated?: Readonly<Record<string, string>>;
  handler(input: RouteInput<A, P, Q, B, F, D>): Promise<Answer<NoInfer<R>>> | Answer<NoInfer<R>>;
}

/** What the rest of the HTTP layer reads of a declared route. */
export interface DeclaredRoute {
  readonly operationId: string;
  /** All of them, common ones included. */
  readonly problems: readonly ErrorCode[];
  readonly responses: Responses;
  readonly files: Files;
  readonly downloads: Files;
  readonly takesIdempotencyKey: boolean;
  readonly isReplayable: boolean;
  /** Turned away first under load. */
  readonly isDear: boolean;
  /** Whether its answers may be of a replica. */
  readonly mayLag: boolean;
  /** Whether its answers have a position, for reads that have to see what it wrote. */
  readonly tellsPosition: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    declared?: DeclaredRoute;
  }
}

/** What a customer may do that is about no customer. */
const ABOUT_NOBODY: Ability = 'catalog.read';

interface AnyRoute {
  url: string;
  query?: z.ZodObject;
  body?: z.ZodObject;
  ability?: Ability;
}

const noFields = z.object({});
type NoFields = typeof noFields;

/**
 * Declares a route of the API. Query parameters and body fields that it does not name are refused; a body's inner objects say so themselves.
 *
 *     export function registerOrders(app: FastifyInstance, deps: Deps): void {
 *       defineRoute(app, {
 *         method: 'POST',
 *         url: '/orders/:id/confirm',
 *         operationId: 'confirmOrder',
 *         summary: 'Confirm the payment of an order',
 *         tag: 'orders',
 *         access: 'payments',
 *         params: z.object({ id: uuidSchema }),
 *         body: confirmBody,
 *         responses: { 200: orderSchema },
 *         problems: ['order_not_found', 'order_already_paid'],
 *         handler: ({ params, body, call }) =>
 *           confirmOrder(deps, { orderId: params.id, ...body }, call, (order) => renderJson(orderSchema, toWire(order))),
 *       });
 *     }
 *
 * A POST that can be refused (402, 409, 429) takes `on_refusal` and answers verdicts, without the handler's doing.
 *
 * A handler returns `{ status, body }`, where body is the value of that status's schema (Dates for instants), or a RecordedAnswer.
 * A literal written in a handler for an enum of the schema needs `as const`.
 */
export function defineRoute<
  A extends Access,
  R extends Responses,
  P extends z.ZodObject = NoFields,
  Q extends z.ZodObject = NoFields,
  B extends z.ZodObject = NoFields,
  F extends Files | undefined = undefined,
  D extends Lagging | undefined = undefined,
>(app: FastifyInstance, definition: RouteDefinition<A, P, Q, B, R, F, D>): void {
  const { method, url, access, operationId, summary, tag, mayLag } = definition;
  const description = describe(definition);
  const isSigned = access === 'signature';
  const lists = listsOf(definition.query ?? noFields);
  const files: Files = definition.files ?? {};
  const takesFile = definition.files !== undefined;
  const takesBody = !isSigned && !takesFile && method !== 'GET' && method !== 'DELETE';
  const takesIdempotencyKey = method === 'POST' && takesToken(access);
  const isReplayable = takesIdempotencyKey && definition.idempotent !== false;
  const common = commonProblems(method, url, access, isReplayable);
  // Whoever writes of a customer may mean one who was erased.
  const ofCustomers: ErrorCode[] =
    method !== 'GET' && definition.problems.includes('customer_not_found') ? ['customer_erased'] : [];
  const problems = [...new Set([...common, ...definition.problems, ...ofCustomers])];
  const takesOnRefusal = takesIdempotencyKey && problems.some(isRefusal);
  const responses = takesOnRefusal ? withVerdicts(definition.responses) : definition.responses;
  const namedIn = whereNamed(definition);
  const declared: DeclaredRoute = {
    operationId,
    problems,
    responses,
    files,
    downloads: definition.downloads ?? {},
    takesIdempotencyKey,
    isReplayable,
    isDear: definition.isDear ?? 'cursor' in (definition.query ?? noFields).shape,
    mayLag: mayLag !== undefined,
    tellsPosition: method !== 'GET' && access !== 'public',
  };
  const route: RouteOptions = {
    method,
    url,
    config: { access, declared, ...(definition.ability !== undefined && { ability: definition.ability }) },
    schema: {
      operationId,
      summary,
      ...(description !== undefined && { description }),
      tags: [tag],
      security: securityOf(access),
      ...(definition.params && { params: definition.params }),
      // What a sender adds to the URL that it was given says nothing, and is no reason to lose what it signed.
      querystring: isSigned ? noFields.loose() : (definition.query ?? noFields).strict(),
      ...(takesBody && {
        body: bodySchema(definition.body ?? noFields, {
          ...withoutEffect(definition.tolerated),
          ...(takesOnRefusal && { on_refusal: onRefusalSchema }),
          ...(takesIdempotencyKey && { idempotency_key: idempotencyKeySchema.optional() }),
        }),
      }),
      response: withDownloads(responses, declared.downloads),
    },
    validatorCompiler: zodValidatorCompiler,
    serializerCompiler: zodSerializerCompiler,
    preValidation: (request, _reply, done) => {
      // A request without any body never reaches the body parser.
      if (takesBody && request.body === undefined) request.body = {};
      if (lists.length > 0) request.query = foldLists(request.query as Query, lists);
      nameOwn(request, namedIn);
      done();
    },
    handler: async (request, reply) => {
      requireOwn(request, namedIn);
      const read = isSigned ? signedInput : takesFile ? fileInput : bodyInput;
      const { onRefusal, input } = read(request, takesIdempotencyKey);
      const run = async (deps?: D) => definition.handler({ ...input, deps } as unknown as RouteInput<A, P, Q, B, F, D>);
      const work = () =>
        mayLag && (definition.lagsIf?.(input.query as z.output<Q>) ?? true)
          ? mayLag.replica.read(mayLag, readFreshness(request), run)
          : run(mayLag);
      const running = request.server.underWay.run(() => withVerdict(onRefusal, work), request.log, definition.isLong);
      const answer = await running;
      if (declared.tellsPosition) await tellPosition(request, reply);
      return send(answer, request, reply);
    },
  };
  if (isSigned) registerRaw(app, route, ['*'], SIGNED_BODY_BYTES_MAX);
  else if (takesFile) registerRaw(app, route, Object.keys(files), FILE_BYTES_MAX);
  else app.route(route);
}

interface Described {
  description?: string;
  ability?: Ability;
  mayLag?: unknown;
  lagsIf?: unknown;
}

function describe({ description, ability, mayLag, lagsIf }: Described): string | undefined {
  const told = [
    ...(description === undefined ? [] : [description]),
    ...(ability === undefined ? [] : [`Customers’ own tokens are taken too, with \`${ability}\`.`]),
    ...(mayLag === undefined ? [] : [lagsIf === undefined ? LAGS : LAGS_AS_OF]),
  ];
  return told.length === 0 ? undefined : told.join(' ');
}

const BEHIND =
  'may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be.';
const LAGS = `The answer ${BEHIND}`;
const LAGS_AS_OF = `With \`as_of\` the answer ${BEHIND}`;

/** Where a request names its customer. A route that customers may call and that names none has to be one that is about none. */
function whereNamed({ query, body, ability, url }: Pick<AnyRoute, 'query' | 'body' | 'ability' | 'url'>): NamedIn {
  if (body && 'customer_id' in body.shape) return 'body';
  if (query && 'customer_id' in query.shape) return 'query';
  if (ability !== undefined && ability !== ABOUT_NOBODY)
    throw new Error(`${url} takes tokens of customers and names none`);
  return undefined;
}

function commonInput(request: FastifyRequest) {
  return { params: request.params, query: request.query };
}

/** The members of a body that are of the route and not of its resource. */
interface RouteMembers {
  idempotency_key?: string;
  on_refusal?: 'problem' | 'verdict';
}

function bodyInput(request: FastifyRequest, takesIdempotencyKey: boolean) {
  const { idempotency_key: keyFromBody, on_refusal: onRefusal, ...body } = (request.body ?? {}) as RouteMembers;
  const { actor } = request;
  const idempotencyKey = takesIdempotencyKey ? readIdempotencyKey(request, keyFromBody) : undefined;
  return { onRefusal, input: { ...commonInput(request), body, ...(actor && { call: { actor, idempotencyKey } }) } };
}

function signedInput(request: FastifyRequest) {
  const { body, headers, ip: address } = request;
  return {
    onRefusal: undefined,
    input: { ...commonInput(request), rawBody: body ?? Buffer.alloc(0), headers, address },
  };
}

function fileInput(request: FastifyRequest, takesIdempotencyKey: boolean) {
  const { actor } = request;
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';');
  const file = { bytes: request.body ?? Buffer.alloc(0), mediaType: mediaType.trim().toLowerCase() };
  const idempotencyKey = takesIdempotencyKey ? readIdempotencyKey(request, undefined) : undefined;
  return {
    onRefusal: undefined,
    input: { ...commonInput(request), file, ...(actor && { call: { actor, idempotencyKey } }) },
  };
}

/** Adds a route that gets the bytes of its body, of these media types: in a scope of its own, so that the others keep their parser. */
function registerRaw(app: FastifyInstance, route: RouteOptions, types: readonly string[], bodyLimit: number): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    const take = (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: Buffer) => void) => {
      try {
        if (types[0] !== '*') refuseForeignEncoding(request);
        done(null, bytes);
      } catch (error) {
        done(error as Error);
      }
    };
    scope.addContentTypeParser([...types], { parseAs: 'buffer', bodyLimit }, take);
    scope.route({ ...route, bodyLimit });
  });
}

/** The answers as the document has them: files beside JSON where there are some. */
function withDownloads(responses: Responses, downloads: Files): Record<number, unknown> {
  const types = Object.entries(downloads);
  if (types.length === 0) return responses;
  const content = [['application/json', responses[200]], ...types].map(([type, schema]) => [type, { schema }]);
  return { ...responses, 200: { content: Object.fromEntries(content) } };
}

function withoutEffect(tolerated: Readonly<Record<string, string>> = {}): z.ZodRawShape {
  return Object.fromEntries(
    Object.entries(tolerated).map(([field, reason]) => [
      field,
      z.unknown().optional().describe(`Taken without effect: ${reason}`),
    ]),
  );
}

/** A resource's body with the members that the route adds; nothing else is taken. */
function bodySchema(body: z.ZodObject, more: z.ZodRawShape): z.ZodObject {
  const complete = body.strict().safeExtend(more);
  // Zod keeps what describes a schema with the instance, and these are other instances.
  const description = body.meta()?.description;
  return description === undefined ? complete : complete.describe(description);
}

function send<R extends Responses>(answer: Answer<R>, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.code(answer.status);
  if ('replayed' in answer) {
    if (answer.code !== undefined) noteCode(request, answer.code);
    if (answer.replayed) reply.header('idempotent-replayed', 'true');
    return reply.header('content-type', 'application/json; charset=utf-8').send(answer.body);
  }
  if ('file' in answer) {
    const { bytes, mediaType, name } = answer.file;
    return reply
      .header('content-type', `${mediaType}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="${name}"`)
      .send(bytes);
  }
  return reply.send(answer.body);
}

/** The problems that a route may answer whatever its resource. */
function commonProblems(method: Method, url: string, access: Access, isReplayable: boolean): ErrorCode[] {
  const codes: ErrorCode[] = ['invalid_request', 'internal_error', 'unavailable'];
  if (method !== 'GET') codes.push('clock_skewed'); // whoever writes is dated
  if (access !== 'public') codes.push('unauthenticated', 'rate_limited', 'overloaded');
  if (takesToken(access)) codes.push('forbidden');
  if (url.includes('/:')) codes.push('malformed_url');
  // Fastify reads the body of a DELETE too, and refuses one that it can't.
  if (method !== 'GET') codes.push('payload_too_large');
  if (method !== 'GET') codes.push('unsupported_media_type');
  if (method !== 'GET' && access !== 'signature') codes.push('malformed_json');
  if (isReplayable) codes.push('idempotency_key_reused');
  return codes;
}
