// From values of ours to JSON text, through the zod schema of the answer: what the schema does not name does not leave.
import type { FastifySerializerCompiler } from 'fastify';
import { ResponseSerializationError } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Types that encode a value as they parse it. */
const ALIKE_BOTH_WAYS: ReadonlySet<string> = new Set([
  ...['string', 'number', 'boolean', 'null', 'undefined', 'literal', 'enum', 'unknown'],
  ...['object', 'array', 'record', 'union', 'nullable', 'optional'],
]);

/** Whether all of a schema is of such types, so that its values are encoded by parsing them, which can be compiled. */
function isAlikeBothWays({ _zod: { def } }: z.core.$ZodType): boolean {
  return ALIKE_BOTH_WAYS.has(def.type) && Object.values(def).flatMap(partsOf).every(isAlikeBothWays);
}

function partsOf(part: unknown): z.core.$ZodType[] {
  if (part instanceof z.core.$ZodType) return [part];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(partsOf) : [];
}

type Encoder = (value: unknown) => z.ZodSafeParseResult<unknown>;

const encoders = new WeakMap<z.ZodType, Encoder>();

/** What encodes the values of a schema. */
function encoderOf(schema: z.ZodType): Encoder {
  const known = encoders.get(schema);
  if (known) return known;
  const compiled = isAlikeBothWays(schema) ? z.compile(schema) : undefined;
  const made: Encoder = compiled ? (value) => compiled.safeParse(value) : (value) => schema.safeEncode(value);
  encoders.set(schema, made);
  return made;
}

/** Fastify's serialiser compiler for zod. What it compiles throws a ResponseSerializationError when an answer does not fit. */
export const zodSerializerCompiler: FastifySerializerCompiler<unknown> = ({ schema, method, url }) => {
  if (!(schema instanceof z.ZodType)) throw new Error(`an answer schema of ${method} ${url} is not zod's`);
  const encode = encoderOf(schema);
  return (value: unknown) => {
    const encoded = encode(value);
    if (!encoded.success) throw new ResponseSerializationError(method, url, { cause: encoded.error });
    return JSON.stringify(encoded.data);
  };
};

/**
 * The JSON text of an answer, for recording it with its operation; the same text that a route would send for `value`.
 * Throws a ZodError when `value` does not fit: a defect of ours.
 */
export function renderJson<S extends z.ZodType>(schema: S, value: z.output<S>): string {
  const encoded = encoderOf(schema)(value);
  if (!encoded.success) throw encoded.error;
  return JSON.stringify(encoded.data);
}
