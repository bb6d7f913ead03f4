// Pieces of the wire: query parameters that are lists or switches.
import { z } from 'zod';

/**
 * A query parameter that names several values, at most `max`: repeated, with commas between them, or (the route folds it) as `name[0]=…`; an array
 * afterwards, in the order given. The values have no commas.
 */
export function repeatable<S extends z.ZodType>(schema: S, max: number) {
  const list = z.preprocess(splitAtCommas, z.array(schema).max(max));
  repeatables.add(list);
  return list;
}

const repeatables = new WeakSet<z.ZodType>();

/** Whether a member of a query is `repeatable`, optional or not. */
export function isRepeatable(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional) return isRepeatable(schema.unwrap());
  return schema instanceof z.ZodType && repeatables.has(schema);
}

function splitAtCommas(input: unknown): unknown {
  const given = typeof input === 'string' ? [input] : input;
  return Array.isArray(given) ? given.flatMap((text) => (typeof text === 'string' ? text.split(',') : [text])) : given;
}

/** A query parameter that is `true` or `false`; a boolean afterwards, false when left out. */
export const flagQuerySchema = (description: string) =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((flag) => flag === 'true')
    .meta({ type: 'boolean', enum: undefined, default: false, description });
