// Writes what the TypeScript client takes from openapi/openapi.json: types and a table of its calls; with --check it only compares, and exits 1 when
// a file is stale. Needs no database.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTypes, { astToString } from 'openapi-typescript';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = 'clients/typescript/src/generated';
const HEADER = '// Generated from openapi/openapi.json by `npm run client`.\n';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const KEY_HEADER = 'IdempotencyKey';
/** What is called often has a short name; every other call has that of its operation. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  checkQuota: 'check',
  consumeQuota: 'consume',
  consumeQuotaBatch: 'consumeBatch',
  giveBackQuota: 'giveBack',
  deductCredits: 'deduct',
  createReservation: 'reserve',
  commitReservation: 'commit',
  releaseReservation: 'release',
  extendReservation: 'extend',
};
/** Other names of calls that are there anyway. */
const ALIASES = ['consumeWallet', 'grantTrial'];

interface Parameter {
  $ref?: string;
  name?: string;
  in?: string;
}

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

type Json = { [member: string]: unknown };

interface Document {
  openapi: string;
  info: Json;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json };
}

interface Call {
  method: string;
  path: string;
  operation: Operation;
}

/** The document with what a caller's types are made of: no examples, no headers, of the answers those of success, and no files but JSON. */
function reduce(document: Document): Document {
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, methods]) => [
      path,
      Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, reduceOperation(operation)])),
    ]),
  );
  const { openapi, info, components } = document;
  return withoutExamples({ openapi, info, paths, components: { schemas: components.schemas } }) as Document;
}

function reduceOperation({ operationId, parameters = [], requestBody, responses }: Operation): Operation {
  const succeeds = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  return {
    operationId,
    summary: '',
    parameters: parameters.filter((each) => each.$ref === undefined),
    ...(requestBody && { requestBody: { content: onlyJson(requestBody.content) } }),
    responses: Object.fromEntries(
      succeeds.map(([status, { content }]) => [status, { ...(content && { content: onlyJson(content) }) }]),
    ),
  };
}

/** The client speaks JSON. */
function onlyJson<T>(content: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(content).filter(([type]) => type === 'application/json'));
}

function withoutExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExamples);
  if (typeof value !== 'object' || value === null) return value;
  // a member of a schema's properties may be called `examples` too: those of a schema are lists, of a media type they stand beside `schema`
  const isNoise = (name: string, member: unknown) =>
    name === 'examples' && (Array.isArray(member) || 'schema' in value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => !isNoise(name, member))
      .map(([name, member]) => [name, withoutExamples(member)]),
  );
}

function listCalls(document: Document): Call[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.flatMap((method) => {
      const operation = methods[method];
      if (!operation || ALIASES.includes(operation.operationId)) return [];
      return [{ method: method.toUpperCase(), path, operation }];
    }),
  );
}

function renderCalls(calls: readonly Call[]): string {
  const named = calls.map((call) => ({
    ...call,
    name: SHORT_NAMES[call.operation.operationId] ?? call.operation.operationId,
  }));
  const members = named.map(
    ({ name, method, path, operation }) =>
      `  /** ${operation.summary.replace(/\w$/, '$&.')} \`${method} ${path}\`${operation.description ? `: ${firstParagraph(operation.description)}` : ''} */\n` +
      `  ${name}: Call<'${operation.operationId}'>;`,
  );
  const rows = named.map(({ name, method, path, operation }) => {
    const query = (operation.parameters ?? []).filter((each) => each.in === 'query').map((each) => each.name);
    const isKeyed = (operation.parameters ?? []).some((each) => each.$ref?.endsWith(`/${KEY_HEADER}`));
    const isRefusable = JSON.stringify(reduceOperation(operation).responses).includes('#/components/schemas/Verdict');
    const isRepeatable = method === 'GET' || JSON.stringify(operation.responses).includes('IdempotentReplayed');
    return `  ${name}: ${JSON.stringify({ method, path, query, isKeyed, isRepeatable, isRefusable })},`;
  });
  return [
    `${HEADER}import type { Call, CallShape } from '../call.js';\n`,
    `/** Every call of Bursar. Each throws BursarProblem, BursarUnreachable, or the reason of an aborted signal. */`,
    `export interface Calls {\n${members.join('\n')}\n}\n`,
    `export const calls: Readonly<Record<keyof Calls, CallShape>> = {\n${rows.join('\n')}\n};\n`,
  ].join('\n');
}

function firstParagraph(text: string): string {
  return (text.split('\n\n')[0] ?? '').replaceAll('\n', ' ').replaceAll('*/', '*\\/');
}

async function generate(): Promise<Record<string, string>> {
  const document = JSON.parse(readFileSync(`${PROJECT}openapi/openapi.json`, 'utf8')) as Document;
  // a member with a default may be left out of a request
  const types = await openapiTypes(reduce(document) as never, { defaultNonNullable: false, silent: true });
  return { 'api.ts': `${HEADER}${astToString(types)}`, 'calls.ts': renderCalls(listCalls(document)) };
}

const mode = process.argv[2];
if (process.argv.length > 3 || (mode !== undefined && mode !== '--check')) {
  console.error('usage: client.ts [--check]');
  process.exit(2);
}
mkdirSync(`${PROJECT}${FOLDER}`, { recursive: true });
for (const [name, text] of Object.entries(await generate())) {
  const file = `${PROJECT}${FOLDER}/${name}`;
  if (mode === undefined) {
    writeFileSync(file, text);
    console.log(`wrote ${FOLDER}/${name}`);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${FOLDER}/${name} is stale: run \`npm run client\` and commit the result`);
    process.exitCode = 1;
  } else {
    console.log(`${FOLDER}/${name} is up to date`);
  }
}
