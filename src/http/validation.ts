// Between zod and Fastify: compiles zod schemas for one route and turns zod's issues into field errors with pointers and plain words.
// Knows no resource.
import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { AppError, type FieldError } from '../errors/app-error.js';
import { nearestName } from '../lib/near-names.js';
import { findMissing } from '../schemas/presence.js';

/** More faults than this are not listed. */
const FIELD_ERRORS_MAX = 50;

type Part = 'body' | 'query' | 'path' | 'header';

const parts: Readonly<Record<string, Part>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

/** A path as an RFC 6901 JSON pointer; the root is ''. */
export function toJsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function toPointer(part: Part, path: readonly PropertyKey[]): string {
  return part === 'body' ? toJsonPointer(path) : `${part}${toJsonPointer(path)}`;
}

/** What a value is by a schema, or every fault of it, at most so many as the check lists. */
export type Check<T> = (input: unknown) => { value: T } | { errors: FieldError[] };

/** Compiles a schema for one part of a request, or for a record of one, which is checked by itself. */
export function createCheck<S extends z.ZodType>(
  schema: S,
  part: Part = 'body',
  errorsMax = FIELD_ERRORS_MAX,
): Check<z.output<S>> {
  const compiled = z.compile(schema);
  return (input) => {
    // What is compiled stops at the first fault; only then are all of them looked for, with words.
    let hintsLeft = errorsMax;
    const hint = (key: string, schemaOfKey: unknown) => {
      hintsLeft -= 1;
      if (hintsLeft < 0 || !(schemaOfKey instanceof z.ZodObject)) return undefined;
      return nearestName(key, Object.keys(schemaOfKey.shape));
    };
    const parsed = compiled.safeParse(input, { error: (issue) => describe(issue, part, hint) });
    if (parsed.success) return { value: parsed.data as z.output<S> };
    return { errors: listed([parsed.error.issues, findMissing(schema, input)], part, errorsMax) };
  };
}

/** Fastify's validator compiler for zod: refuses with an AppError that names every faulty place of the part. */
export const zodValidatorCompiler: FastifySchemaCompiler<unknown> = ({ schema, httpPart = 'body' }) => {
  if (!(schema instanceof z.ZodType)) throw new Error(`the ${httpPart} schema of a route is not zod's`);
  const check = createCheck(schema, parts[httpPart] ?? 'body');
  return (input: unknown) => {
    const checked = check(input);
    return 'value' in checked ? checked : { error: refusalOf(checked.errors) };
  };
};

/** Which name of a schema was probably meant by a key that it does not know. */
type Hint = (key: string, schema: unknown) => string | undefined;

/** The refusal for faults of a request. */
function refusalOf(errors: FieldError[]): AppError {
  const [first] = errors;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : '';
  const place = first?.pointer ? `${first.pointer}: ` : '';
  return new AppError('invalid_request', `${place}${first?.message ?? 'is not valid'}${others}`, { errors });
}

/** The faults that are listed: each once, and the first ones only. */
function listed(found: readonly Iterable<z.core.$ZodIssue>[], part: Part, errorsMax: number): FieldError[] {
  const byText = new Map<string, FieldError>();
  for (const issues of found) {
    for (const issue of issues) {
      for (const error of toFieldErrors(issue, part, [])) byText.set(`${error.pointer} ${error.message}`, error);
      if (byText.size >= errorsMax) return [...byText.values()].slice(0, errorsMax);
    }
  }
  return [...byText.values()];
}

function toFieldErrors(issue: z.core.$ZodIssue, part: Part, prefix: readonly PropertyKey[]): FieldError[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.slice(0, FIELD_ERRORS_MAX).map((key, index) => ({
      pointer: toPointer(part, [...path, key]),
      code: 'unrecognized_key',
      message: messages[index] ?? issue.message,
    }));
  }
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => toFieldErrors(inner, part, path));
  }
  return [{ pointer: toPointer(part, path), code: codeOf(issue), message: issue.message }];
}

/** The one form that the input was meant to be: it got past the outermost type. Undefined when none or several did. */
function closestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const entered = branches.filter((issues) => issues.every((issue) => issue.path.length > 0));
  return entered.length === 1 ? entered[0] : undefined;
}

function codeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return typeof issue.params?.code === 'string' ? issue.params.code : 'invalid';
  if (issue.code === 'invalid_union') return issue.message === REQUIRED ? 'required' : 'invalid_type';
  // Zod leaves the input out of finished issues; its absence shows in the words that `describe` chose.
  return issue.message === REQUIRED ? 'required' : issue.code;
}

const REQUIRED = 'is required';

/** Plain words for zod's own issues; undefined leaves zod's. */
function describe(issue: z.core.$ZodRawIssue, part: Part, hint: Hint): string | undefined {
  if (
    issue.input === undefined &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union')
  ) {
    return REQUIRED;
  }
  switch (issue.code) {
    case 'invalid_type':
      if (part === 'query' && Array.isArray(issue.input)) return 'must be given once, not several times';
      return `must be ${withArticle(String(issue.expected))}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `must be one of ${(issue.values as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return bound('at least', Number(issue.minimum), String(issue.origin));
    case 'too_big':
      return bound('at most', Number(issue.maximum), String(issue.origin));
    case 'invalid_union':
      return 'has none of the forms that are accepted here';
    case 'unrecognized_keys':
      return describeUnknown(issue.keys as string[], issue.inst, part, hint);
    default:
      return undefined;
  }
}

/** A line for each key that may be listed: that it is unknown, and which of the schema's own was probably meant. */
function describeUnknown(keys: readonly string[], schema: unknown, part: Part, hint: Hint): string {
  const plain = `is not a ${part === 'query' ? 'query parameter' : 'field'} of this route`;
  const lines = keys.slice(0, FIELD_ERRORS_MAX).map((key) => {
    const meant = hint(key, schema);
    return meant === undefined ? plain : `${plain}; did you mean ${meant}?`;
  });
  return lines.join('\n');
}

function bound(relation: string, value: number, origin: string): string {
  if (origin === 'string') return `must have ${relation} ${value} character${value === 1 ? '' : 's'}`;
  if (origin === 'array') return `must have ${relation} ${value} item${value === 1 ? '' : 's'}`;
  return `must be ${relation} ${value}`;
}

function withArticle(expected: string): string {
  const noun = expected === 'record' ? 'object' : expected === 'int' ? 'whole number' : expected;
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function kindOf(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'an array';
  return withArticle(typeof input);
}
