// From values of ours to JSON text, through the zod schema of the answer: what the schema does not name does not leave.
import type { FastifySerializerCompiler } from 'fastify';
import { ResponseSerializationError } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Fastify's serialiser compiler for zod. What it compiles throws a ResponseSerializationError when an answer does not fit. */
export const zodSerializerCompiler: FastifySerializerCompiler<unknown> = ({ schema, method, url }) => {
  if (!(schema instanceof z.ZodType)) throw new Error(`an answer schema of ${method} ${url} is not zod's`);
  return (value: unknown) => {
    const encoded = schema.safeEncode(value);
    if (!encoded.success) throw new ResponseSerializationError(method, url, { cause: encoded.error });
    return JSON.stringify(encoded.data);
  };
};

/**
 * The JSON text of an answer, for recording it with its operation; the same text that a route would send for `value`.
 * Throws a ZodError when `value` does not fit: a defect of ours.
 */
export function renderJson<S extends z.ZodType>(schema: S, value: z.output<S>): string {
  return JSON.stringify(z.encode(schema, value));
}
