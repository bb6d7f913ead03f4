// Rules that only ask which fields were sent. Zod passes over the rules of an object that has a faulty field; these hold of it all the same,
// so that a refusal names every field that is missing, whatever else is wrong.
import type { z } from 'zod';

type Rule<T> = (ctx: z.core.ParsePayload<T>) => void;

const rules = new WeakSet<object>();

/** A check of an object that looks at nothing but which of `T`'s fields are there: it may be given what was sent, faulty fields and all. */
export function presence<T extends { readonly [K in keyof T]?: unknown }>(
  rule: Rule<T>,
): <U>(ctx: z.core.ParsePayload<U>) => void {
  rules.add(rule);
  return rule as Rule<unknown>;
}

/**
 * What the rules of `schema`, and of the objects in it, say of `input` as it was sent, one after the other: whoever has enough of them stops. An
 * array that is longer than it may be is not looked into.
 */
export function* findMissing(
  schema: z.core.$ZodType,
  input: unknown,
  path: readonly PropertyKey[] = [],
): Generator<z.core.$ZodIssueCustom, void, undefined> {
  const { def } = schema._zod as unknown as z.core.$ZodTypeInternals & {
    def: Partial<Record<'innerType', z.core.$ZodType>>;
  };
  if (def.innerType) return yield* findMissing(def.innerType, input, path);
  if (isArraySchema(schema) && Array.isArray(input)) {
    if (input.length > lengthMaxOf(schema)) return;
    for (const [index, item] of input.entries()) yield* findMissing(schema._zod.def.element, item, [...path, index]);
    return;
  }
  if (!isObjectSchema(schema) || typeof input !== 'object' || input === null || Array.isArray(input)) return;
  const ctx: z.core.ParsePayload<unknown> = { value: input, issues: [] };
  for (const { _zod: check } of def.checks ?? []) {
    if (rules.has(check.check)) void check.check(ctx as never);
  }
  for (const issue of ctx.issues)
    yield { ...(issue as z.core.$ZodIssueCustom), path: [...path, ...(issue.path ?? [])] };
  for (const [key, member] of Object.entries(schema._zod.def.shape))
    yield* findMissing(member, (input as Record<string, unknown>)[key], [...path, key]);
}

function lengthMaxOf({ _zod: { def } }: z.core.$ZodArray): number {
  const bounds = def.checks?.map(({ _zod: check }) => (check.def as { maximum?: number }).maximum) ?? [];
  return Math.min(...bounds.filter((bound) => bound !== undefined));
}

function isArraySchema(schema: z.core.$ZodType): schema is z.core.$ZodArray {
  return schema._zod.def.type === 'array';
}

function isObjectSchema(schema: z.core.$ZodType): schema is z.core.$ZodObject {
  return schema._zod.def.type === 'object';
}
