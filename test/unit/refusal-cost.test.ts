// What a refusal costs: counted in looks at the input, never in time. What is refused must not be dearer than what is accepted.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AppError } from '../../src/errors/app-error.js';
import { zodValidatorCompiler } from '../../src/http/validation.js';
import { METADATA_BYTES_MAX } from '../../src/lib/metadata.js';
import { trialGrantBody } from '../../src/schemas/grants.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { findMissing, presence } from '../../src/schemas/presence.js';
import { consumeBatchBody } from '../../src/schemas/quota.js';
import { placeholderFault } from '../../src/schemas/text.js';

const FAULTS_MAX = 50;

/** Validates as a route would. */
function validate(schema: z.ZodType, input: unknown): { value?: unknown; error?: AppError } {
  const compiled = zodValidatorCompiler({ schema, method: 'POST', url: '/', httpPart: 'body' });
  return (compiled as (input: unknown) => { value?: unknown; error?: AppError })(input);
}

/** An array of so many numbers, and how often an item of it was read. */
function watched(length: number, item: unknown = 1): { array: unknown[]; reads: () => number } {
  let reads = 0;
  const array = new Proxy(new Array(length).fill(item), {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      return Reflect.get(target, key);
    },
  });
  return { array, reads: () => reads };
}

const messageOf = (input: unknown) => metadataSchema.safeParse(input).error?.issues.map(({ message }) => message);

describe('metadata', () => {
  it.each([
    ['numbers', 1],
    ['objects', {}],
    ['lists', []],
  ])('of too many %s are refused for their size before any of them is looked at', (_what, item) => {
    const { array, reads } = watched(METADATA_BYTES_MAX, item);
    expect(messageOf({ a: array })).toEqual([`is larger than ${METADATA_BYTES_MAX} bytes as JSON`]);
    expect(reads()).toBe(0);
  });

  it('of many small parts are left as soon as they are too large', () => {
    const parts = Array.from({ length: 1_000 }, () => watched(1_000));
    expect(messageOf({ a: parts.map(({ array }) => array) })).toEqual([
      `is larger than ${METADATA_BYTES_MAX} bytes as JSON`,
    ]);
    const reads = parts.reduce((sum, part) => sum + part.reads(), 0);
    expect(reads).toBeLessThanOrEqual(METADATA_BYTES_MAX);
  });

  it('are too large before they are anything else', () => {
    const faulty = { nul: '\0', deep: [[[[[[[[[]]]]]]]]], long: 'x'.repeat(METADATA_BYTES_MAX) };
    expect(messageOf(faulty)).toEqual([`is larger than ${METADATA_BYTES_MAX} bytes as JSON`]);
    expect(messageOf({ ...faulty, long: '' })).toEqual(['is nested deeper than 8 levels']);
  });

  it('of a small size are read once', () => {
    const { array, reads } = watched(100);
    expect(validate(z.object({ metadata: metadataSchema }), { metadata: { a: array } }).error).toBeUndefined();
    // once for what it holds, once for its size in bytes
    expect(reads()).toBe(200);
  });
});

describe('a refused body', () => {
  it('is looked at twice: until the first fault, and once for all of them, with words', () => {
    let looks = 0;
    const counted = z.string().check(() => {
      looks += 1;
    });
    const schema = z.object({ first: counted, second: z.number() });
    expect(validate(schema, { first: 'a', second: 1 }).value).toEqual({ first: 'a', second: 1 });
    expect(looks).toBe(1);
    const { error } = validate(schema, { first: 'a', second: 'b' });
    expect(looks).toBe(3);
    expect(error?.errors).toEqual([
      { pointer: '/second', code: 'invalid_type', message: 'must be a number, not a string' },
    ]);
  });

  it('has the near names looked for of no more unknown fields than are listed', () => {
    let lookUps = 0;
    const item = z.strictObject({ quantity: z.number().optional() });
    const { shape } = item;
    Object.defineProperty(item, 'shape', {
      get: () => {
        lookUps += 1;
        return shape;
      },
    });
    const schema = z.object({ items: z.array(item) });
    const items = Array.from({ length: 1_000 }, () => ({ quantiti: 1 }));
    validate(schema, { items: [] });
    lookUps = 0;
    const { error } = validate(schema, { items });
    expect(error?.errors).toHaveLength(FAULTS_MAX);
    for (const { message } of error?.errors ?? []) expect(message).toContain('did you mean quantity?');
    expect(lookUps).toBeLessThanOrEqual(FAULTS_MAX);
  });

  it('has no item of a list looked at that is longer than it may be', () => {
    const { array, reads } = watched(345_000, {});
    const { error } = validate(consumeBatchBody, { items: array });
    expect(error?.errors).toEqual([{ pointer: '/items', code: 'too_big', message: 'must have at most 1000 items' }]);
    expect(reads()).toBe(0);
  });

  it('has no member looked at of identities that are too many', () => {
    let reads = 0;
    const identities = new Proxy(Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 'a'])), {
      get(target, key) {
        reads += 1;
        return Reflect.get(target, key);
      },
    });
    const { error } = validate(trialGrantBody, { external_id: 'a', identities });
    expect(error?.errors).toEqual([{ pointer: '/identities', code: 'invalid', message: 'has more than 20 members' }]);
    expect(reads).toBe(0);
  });

  it('has missing fields looked for until there are enough of them', () => {
    let looks = 0;
    const item = z.object({ name: z.unknown() }).check(
      presence<{ name?: unknown }>((ctx) => {
        looks += 1;
        ctx.issues.push({ code: 'custom', message: 'is required', path: ['name'], input: undefined });
      }),
    );
    const missing = findMissing(
      z.array(item),
      Array.from({ length: 1_000 }, () => ({})),
    );
    expect(looks).toBe(0);
    expect(missing.next().value?.path).toEqual([0, 'name']);
    expect(missing.next().value?.path).toEqual([1, 'name']);
    expect(looks).toBe(2);
  });

  it('has its places made to text for no more faults than are listed', () => {
    let texts = 0;
    const toText = () => {
      texts += 1;
      return `place${texts}`;
    };
    const place = { toString: toText } as unknown as string;
    const schema = z.object({}).check((ctx) => {
      for (let fault = 0; fault < 1_000; fault += 1)
        ctx.issues.push({ code: 'custom', message: 'is wrong', path: [place], input: 1 });
    });
    expect(validate(schema, {}).error?.errors).toHaveLength(FAULTS_MAX);
    expect(texts).toBe(FAULTS_MAX);
  });

  // Ends only where each mark is searched for once: a search from every opening one would take an hour.
  it.each(['{{', '$'.concat('{'), '<%'])('is searched for templates in one pass: %s', (opening) => {
    expect(placeholderFault(opening.repeat(500_000))).toBeUndefined();
    expect(placeholderFault(`${opening.repeat(500_000)}}}%>`)).toMatch(/^holds a template/);
  });

  it('names the place of a fault that is a hundred thousand levels deep', () => {
    const levels = 100_000;
    let metadata: unknown = '\0';
    for (let level = 0; level < levels; level += 1) metadata = [metadata];
    expect(messageOf({ a: metadata })).toEqual(['is nested deeper than 8 levels']);
  });
});
