// Puts the named examples of requests into the operations of the OpenAPI document, with links from the answers that give the ids they need.

type Json = Record<string, unknown>;

/** One request as it is sent. */
export interface RequestExample {
  /** What it shows, in a few words. */
  summary: string;
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  body?: Readonly<Json>;
}

export interface OperationExamples {
  /**
   * Where ids come from that nobody knows beforehand: for a path parameter or a member of the body, `operationId#/pointer` into a successful answer of
   * that operation's first example.
   */
  ids?: Readonly<Record<string, string>>;
  /** By name. Of the parameters all but the first name only those that the first has, because forms are filled parameter by parameter. */
  requests: Readonly<Record<string, RequestExample>>;
}

/** By operation. */
export type Examples = Readonly<Record<string, OperationExamples>>;

interface Operation {
  operationId?: string;
  parameters?: Json[];
  requestBody?: { content: Record<string, Json> };
  responses: Record<string, Json>;
}

/** Where an operation's answer has an id, and what may be done with it. */
interface Link {
  source: string;
  pointer: string;
}

/** Puts the examples of all operations into them. */
export function addExamples(operations: readonly Operation[], examples: Examples): void {
  const byId = new Map(operations.map((operation) => [operation.operationId ?? '', operation]));
  for (const [operationId, { ids = {}, requests }] of Object.entries(examples)) {
    const operation = byId.get(operationId);
    // A process that only works in the background has no other routes than its probes.
    if (!operation) continue;
    const links = new Map(Object.entries(ids).map(([name, from]) => [name, toLink(from)]));
    fillParameters(operation, requests, links);
    fillBody(operation, requests, links);
    for (const [name, { source, pointer }] of links) {
      const isParameter = operation.parameters?.some((parameter) => parameter.name === name);
      const value = `$response.body#${pointer}`;
      const gives = isParameter ? { parameters: { [name]: value } } : { requestBody: { [name]: value } };
      addLink(byId.get(source), operationId, { operationId, ...gives });
    }
  }
}

function toLink(from: string): Link {
  const [source = '', pointer = ''] = from.split('#');
  return { source, pointer };
}

function fillParameters(
  operation: Operation,
  requests: OperationExamples['requests'],
  links: ReadonlyMap<string, Link>,
): void {
  for (const parameter of operation.parameters ?? []) {
    if (typeof parameter.name !== 'string') continue;
    const { name } = parameter;
    // Forms would be filled with the examples of the schema, of all parameters at once.
    parameter.schema = withoutExamples(parameter.schema as Json);
    delete parameter.example;
    const link = links.get(name);
    if (link) parameter.description = `The \`${link.pointer.slice(1)}\` that \`${link.source}\` answered.`;
    const part = parameter.in === 'path' ? 'path' : 'query';
    const given = Object.entries(requests).flatMap(([example, { summary, ...request }]) => {
      const value = request[part]?.[name];
      return value === undefined ? [] : [[example, { summary, value }]];
    });
    if (given.length > 0) parameter.examples = Object.fromEntries(given);
  }
}

function withoutExamples({ examples: _left, ...schema }: Json): Json {
  return schema;
}

function fillBody(
  operation: Operation,
  requests: OperationExamples['requests'],
  links: ReadonlyMap<string, Link>,
): void {
  const [media] = Object.values(operation.requestBody?.content ?? {});
  if (!media) return;
  const bodies = Object.entries(requests).flatMap(([name, { summary, body }]) =>
    body === undefined ? [] : [[name, { summary, value: withPlaceholders(body, links) }]],
  );
  if (bodies.length > 0) media.examples = Object.fromEntries(bodies);
}

const PLACEHOLDER = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

function withPlaceholders(body: Readonly<Json>, links: ReadonlyMap<string, Link>): Json {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, links.has(name) ? PLACEHOLDER : value]));
}

function addLink(source: Operation | undefined, name: string, link: Json): void {
  for (const [status, response] of Object.entries(source?.responses ?? {})) {
    if (!status.startsWith('2')) continue;
    response.links = { ...(response.links as Json | undefined), [name]: link };
  }
}
