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

/** What the rules of `schema`, and of the objects in it, say of `input` as it was sent. */
export function findMissing(
  schema: z.core.$ZodType,
  input: unknown,
  path: PropertyKey[] = [],
): z.core.$ZodIssueCustom[] {
  const { def } = schema._zod as unknown as z.core.$ZodTypeInternals & {
    def: Partial<Record<'innerType', z.core.$ZodType>>;
  };
  if (def.innerType) return findMissing(def.innerType, input, path);
  if (isArraySchema(schema) && Array.isArray(input))
    return input.flatMap((item, index) => findMissing(schema._zod.def.element, item, [...path, index]));
  if (!isObjectSchema(schema) || typeof input !== 'object' || input === null || Array.isArray(input)) return [];
  const ctx: z.core.ParsePayload<unknown> = { value: input, issues: [] };
  for (const { _zod: check } of def.checks ?? []) {
    if (rules.has(check.check)) void check.check(ctx as never);
  }
  return [
    ...ctx.issues.map((issue) => ({ ...(issue as z.core.$ZodIssueCustom), path: [...path, ...(issue.path ?? [])] })),
    ...Object.entries(schema._zod.def.shape).flatMap(([key, member]) =>
      findMissing(member, (input as Record<string, unknown>)[key], [...path, key]),
    ),
  ];
}

function isArraySchema(schema: z.core.$ZodType): schema is z.core.$ZodArray {
  return schema._zod.def.type === 'array';
}

function isObjectSchema(schema: z.core.$ZodType): schema is z.core.$ZodObject {
  return schema._zod.def.type === 'object';
}
