// The OpenAPI document as its readers use it: a flat list of operations, with references followed.
import type { Json } from './app.js';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema?: Json;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface Media {
  schema?: Json;
  examples?: Record<string, { value?: unknown }>;
}

export interface Response {
  content?: Record<string, Media>;
  links?: Record<
    string,
    { operationId: string; parameters?: Record<string, string>; requestBody?: Record<string, string> }
  >;
}

export interface Operation {
  operationId: string;
  /** In upper case. */
  method: string;
  path: string;
  parameters: Parameter[];
  /** Of JSON; undefined where there is none. */
  body: Media | undefined;
  /** By status. */
  responses: Record<string, Response>;
  successes: Record<string, Response>;
  problems: Record<string, Response>;
}

/** What a reference leads to; anything else is returned as it is. */
export function resolve(document: Json, node: unknown): unknown {
  const reference = typeof node === 'object' && node !== null && '$ref' in node ? String(node.$ref) : undefined;
  if (reference === undefined) return node;
  const parts = reference.slice('#/'.length).split('/');
  return resolve(
    document,
    parts.reduce<unknown>((at, part) => (at as Json)[part.replaceAll('~1', '/').replaceAll('~0', '~')], document),
  );
}

/** The operations, in the order of the document. */
export function readOperations(document: Json): Operation[] {
  return Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const responses = Object.fromEntries(
        Object.entries(operation.responses as Json).map(([status, one]) => [
          status,
          resolve(document, one) as Response,
        ]),
      );
      const ofKind = (isProblem: boolean) =>
        Object.fromEntries(Object.entries(responses).filter(([status]) => status >= '400' === isProblem));
      const body = resolve(document, operation.requestBody) as { content?: Record<string, Media> } | undefined;
      return {
        operationId: String(operation.operationId),
        method: method.toUpperCase(),
        path,
        parameters: ((operation.parameters ?? []) as unknown[]).map((one) => resolve(document, one) as Parameter),
        body: body?.content?.['application/json'],
        responses,
        successes: ofKind(false),
        problems: ofKind(true),
      };
    }),
  );
}
