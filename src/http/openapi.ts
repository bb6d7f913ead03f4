// The OpenAPI 3.1 document, made from the declared routes: what @fastify/swagger and the zod transform produce, completed with
// the problems, headers and keys that hold for many routes, and cleared of components that nothing refers to.
import { STATUS_CODES } from 'node:http';
import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { AppError } from '../errors/app-error.js';
import { catalogue, type ErrorCode } from '../errors/catalogue.js';
import { problemExtensions } from '../schemas/problem.js';
import { exampleErrorsOf, problemExamples } from '../schemas/problem-examples.js';
import { idempotencyKeySchema } from '../schemas/text.js';
import { addExamples, type Examples } from './examples.js';
import { toProblem } from './problem.js';
import type { DeclaredRoute } from './route.js';
import { type Tag, tags } from './tags.js';

const EXAMPLE_REQUEST_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

const codes = Object.keys(catalogue) as ErrorCode[];
const INTRODUCTION = [
  packageJson.description,
  'Errors are problem details (RFC 9457); branch on `code`. Every POST takes an idempotency key.',
  'The examples tell one story, in the order of this page: on a new database with the demo catalogue each of them succeeds. Where an operation asks for an id, its description says whose answer gives it.',
].join('\n\n');

type Json = Record<string, unknown>;

interface Operation {
  operationId?: string;
  tags?: Tag[];
  parameters?: Json[];
  requestBody?: { required?: boolean; content: Record<string, { schema?: Json }> };
  responses: Record<string, Json>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  webhooks?: Record<string, Json>;
  tags?: { name: string }[];
  components: Record<string, Json>;
}

/** What is told of by itself: the name of each kind, and the schema of what is sent. */
export type Webhooks = readonly (readonly [string, z.ZodType])[];

/** Makes the document of the routes that are declared from now on; must be awaited before any route is added. */
export async function registerOpenapi(app: FastifyInstance, examples: Examples, webhooks: Webhooks): Promise<void> {
  const declaredRoutes = new Map<string, DeclaredRoute>();
  app.addHook('onRoute', (route) => {
    const declared = route.config?.declared;
    if (declared === undefined || route.method === 'HEAD') return;
    if (declaredRoutes.has(declared.operationId)) throw new Error(`operationId ${declared.operationId} is used twice`);
    declaredRoutes.set(declared.operationId, declared);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Bursar',
        version: packageJson.version,
        description: INTRODUCTION,
        license: { name: 'MIT', identifier: 'MIT' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API token: `Authorization: Bearer <token>`.' },
        },
      },
    },
    transform: hideUndeclared,
    transformObject: ((input) => complete(input, declaredRoutes, examples, webhooks)) as SwaggerTransformObject,
  });
}

/** The document as text, the same for the same routes. The app must be ready. */
export function openapiText(app: FastifyInstance): string {
  return `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
}

const hideUndeclared: SwaggerTransform = (input) => {
  if (input.route.config?.declared) return jsonSchemaTransform(input);
  return { schema: { hide: true }, url: input.url };
};

function complete(
  input: Parameters<SwaggerTransformObject>[0],
  declaredRoutes: Map<string, DeclaredRoute>,
  examples: Examples,
  webhooks: Webhooks,
) {
  const document = jsonSchemaTransformObject(input) as unknown as Document;
  const usedTags = new Set<string>();
  const sharedProblems = new Set<ErrorCode>();
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  for (const operation of operations) {
    const declared = declaredRoutes.get(operation.operationId ?? '');
    if (!declared) throw new Error(`operation ${operation.operationId} is not a declared route`);
    completeOperation(operation, declared, sharedProblems);
    for (const tag of operation.tags ?? []) usedTags.add(tag);
  }
  addExamples(operations, examples);
  document.tags = (document.tags ?? []).filter((tag) => usedTags.has(tag.name));
  document.components.responses = Object.fromEntries(
    [...sharedProblems].map((code) => [toComponentName(code), problemResponse([code])]),
  );
  document.components.schemas = { ...(document.components.schemas as Json), ...problemSchemas() };
  document.components.examples = Object.fromEntries(
    codes.map((code) => [toComponentName(code), { summary: catalogue[code].title, value: exampleProblem(code) }]),
  );
  document.webhooks = Object.fromEntries(webhooks.map(([name, schema]) => [name, describeWebhook(name, schema)]));
  document.components.headers = commonHeaders();
  document.components.parameters = { IdempotencyKey: idempotencyKeyParameter(), Position: positionParameter() };
  keepReferenced(document);
  return document as unknown as ReturnType<SwaggerTransformObject>;
}

/** order.paid -> onOrderPaid */
function webhookId(name: string): string {
  return `on${toComponentName(name.replaceAll('.', '_'))}`;
}

/** An event as `GET /events` has it. */
function describeWebhook(name: string, schema: z.ZodType): Json {
  const { $schema: _dialect, ...event } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  const post = {
    operationId: webhookId(name),
    tags: ['events' satisfies Tag],
    security: [], // it is signed
    summary: `An event of type ${name}`,
    requestBody: { required: true, content: { 'application/json': { schema: event } } },
    responses: { '2XX': { description: 'It was received.' } },
  };
  return { post };
}

function completeOperation(operation: Operation, declared: DeclaredRoute, sharedProblems: Set<ErrorCode>): void {
  if (declared.takesIdempotencyKey) {
    operation.parameters = [...(operation.parameters ?? []), { $ref: '#/components/parameters/IdempotencyKey' }];
  }
  if (declared.mayLag)
    operation.parameters = [...(operation.parameters ?? []), { $ref: '#/components/parameters/Position' }];
  const files = Object.entries(declared.files);
  if (files.length > 0) {
    const content = files.map(([type, schema]) => [type, { schema: toBodySchema(schema) }]);
    operation.requestBody = { required: true, content: Object.fromEntries(content) };
  } else if (operation.requestBody) {
    const [media] = Object.values(operation.requestBody.content);
    operation.requestBody.required = Array.isArray(media?.schema?.required);
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? status;
    response.headers = {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(declared.tellsPosition && { 'Bursar-Position': { $ref: '#/components/headers/Position' } }),
      ...(declared.isReplayable && { 'Idempotent-Replayed': { $ref: '#/components/headers/IdempotentReplayed' } }),
    };
  }
  for (const [status, codes] of codesByStatus(declared.problems)) {
    const [code] = codes;
    if (codes.length > 1 || code === undefined) {
      operation.responses[status] = problemResponse(codes);
      continue;
    }
    sharedProblems.add(code);
    operation.responses[status] = { $ref: `#/components/responses/${toComponentName(code)}` };
  }
}

function toBodySchema(schema: z.ZodType): Json {
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return body;
}

function codesByStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes.toSorted()) {
    const { status } = catalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function problemResponse(codes: readonly ErrorCode[]): Json {
  const variants = problemVariants(codes);
  const schema = variants.length === 1 ? variants[0] : { oneOf: variants };
  const examples = Object.fromEntries(
    codes.map((code) => [code, { $ref: `#/components/examples/${toComponentName(code)}` }]),
  );
  const canBeRetried = codes.includes('unavailable') || codes.includes('rate_limited');
  return {
    description: codes.map((code) => `\`${code}\`: ${catalogue[code].title}. ${catalogue[code].remedy}`).join('\n\n'),
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(canBeRetried && { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } }),
    },
    content: { 'application/problem+json': { schema, examples }, 'application/json': { schema, examples } },
  };
}

/** The schema of a problem that has these members. */
function narrowProblem(members: Json): Json {
  return { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', ...members }] };
}

/** The schemas of the problems that have members of their own, by name. */
function problemSchemas(): Json {
  const extended = codes.flatMap((code) => {
    const extension = problemExtensions[code];
    if (extension === undefined) return [];
    const { properties, required = [] } = z.toJSONSchema(extension, { io: 'output', unrepresentable: 'any' });
    const members = { code: { type: 'string', enum: [code] }, ...properties };
    return [
      [`${toComponentName(code)}Problem`, narrowProblem({ properties: members, required: ['code', ...required] })],
    ];
  });
  return Object.fromEntries(extended);
}

/** The schemas of the problems with these codes: one for all codes without members of their own, one for each of the others. */
function problemVariants(codes: readonly ErrorCode[]): Json[] {
  const plain = codes.filter((code) => problemExtensions[code] === undefined);
  const extended = codes
    .filter((code) => problemExtensions[code] !== undefined)
    .map((code) => ({ $ref: `#/components/schemas/${toComponentName(code)}Problem` }));
  return plain.length === 0
    ? extended
    : [narrowProblem({ properties: { code: { type: 'string', enum: plain } }, required: ['code'] }), ...extended];
}

function exampleProblem(code: ErrorCode): Json {
  const shape = problemExtensions[code]?.shape ?? {};
  const extensions = Object.fromEntries(
    Object.entries(shape).flatMap(([member, schema]) => {
      const [example] = ((schema as z.ZodType).meta()?.examples as unknown[] | undefined) ?? [];
      return example === undefined ? [] : [[member, example]];
    }),
  );
  const { detail } = problemExamples[code];
  return toProblem(new AppError(code, detail, { errors: exampleErrorsOf(code), extensions }), EXAMPLE_REQUEST_ID);
}

const POSITION_SCHEMA = { type: 'string', pattern: '^(?:[0-9]{1,16}|latest)$' };

function positionParameter(): Json {
  return {
    name: 'Bursar-Position',
    in: 'header',
    required: false,
    description:
      'What the answer to a write had in this header: the read sees that write, and all before it. Keep the last one for each customer. `latest`: it sees all that is there. Without it what is read may be some seconds old where the installation has a replica.',
    schema: POSITION_SCHEMA,
  };
}

function commonHeaders(): Json {
  return {
    RequestId: {
      description:
        'The id of this request: the `X-Request-Id` that the caller sent, if it is 1 to 128 letters, digits or `._:=+/-`, else the one that it has here, a UUID, as in the `instance` of a problem. The log has both.',
      schema: { type: 'string', maxLength: 128 },
      example: EXAMPLE_REQUEST_ID,
    },
    Position: {
      description:
        'Send it with a read that has to see what was written. Only there where the installation has a replica. The greater of two numbers is the later one.',
      schema: POSITION_SCHEMA,
    },
    IdempotentReplayed: {
      description: '`true` when this is the recorded answer of an earlier request with the same idempotency key.',
      schema: { type: 'string', enum: ['true'] },
    },
    RetryAfter: {
      description: 'Seconds after which a retry makes sense.',
      schema: { type: 'integer', minimum: 1 },
      example: 1,
    },
  };
}

function idempotencyKeyParameter(): Json {
  // No example: forms that are filled with one would give all calls the same key.
  const {
    description,
    examples: _left,
    $schema: _dialect,
    ...schema
  } = z.toJSONSchema(idempotencyKeySchema, {
    io: 'input',
  });
  return {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: `${description} May be sent as \`idempotency_key\` in the body instead; when both are sent they must agree.`,
    schema,
  };
}

/** insufficient_quota -> InsufficientQuota */
function toComponentName(code: string): string {
  return code.replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Drops the components that nothing refers to, also not through one another, and puts the rest in the order of their names. */
function keepReferenced(document: Document): void {
  const { securitySchemes, ...components } = document.components;
  const kept = new Map<string, Json>(Object.keys(components).map((kind) => [kind, {}]));
  const open: unknown[] = [document.paths];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const [, kind = '', name = ''] of JSON.stringify(node).matchAll(/"#\/components\/([^/"]+)\/([^"]+)"/g)) {
      const keptOfKind = kept.get(kind);
      const component = components[kind]?.[name];
      if (!keptOfKind || component === undefined)
        throw new Error(`the document refers to ${kind}/${name}, which is not there`);
      if (name in keptOfKind) continue;
      keptOfKind[name] = component;
      open.push(component);
    }
  }
  const sorted = [...kept].map(([kind, byName]) => [
    kind,
    Object.fromEntries(Object.entries(byName).sort(([left], [right]) => (left < right ? -1 : 1))),
  ]);
  document.components = { ...Object.fromEntries(sorted), ...(securitySchemes && { securitySchemes }) };
}
