// The shared pieces of the wire: what each takes, makes of it, and refuses.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../src/errors/app-error.js';
import { createdAtPosition, decodeCursor, encodeCursor, seqPosition } from '../../src/http/pagination.js';
import { toJsonPointer } from '../../src/http/validation.js';
import { instantSchema } from '../../src/schemas/instants.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { countSchema, moneySchema } from '../../src/schemas/quantities.js';
import { externalIdSchema, providerSchema, toSelector } from '../../src/schemas/selectors.js';
import {
  featureSchema,
  isStorableText,
  productKeySchema,
  skuSchema,
  text,
  uuidSchema,
} from '../../src/schemas/text.js';

const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

/** What the schema makes of the input, or 'refused'. */
function read(schema: z.ZodType, input: unknown): unknown {
  const parsed = schema.safeParse(input);
  return parsed.success ? parsed.data : 'refused';
}

describe('names', () => {
  it.each([skuSchema, productKeySchema])('takes a key in any case, trimmed', (schema) => {
    expect(read(schema, ' credits_100.a:b-C ')).toBe('CREDITS_100.A:B-C');
    expect(read(schema, 'a'.repeat(64))).toBe('A'.repeat(64));
  });

  // ı and ſ have ASCII letters as their upper case: two spellings must not become one key.
  it.each(['', ' ', '-a', '_a', 'a b', 'a/b', 'ä', 'ıtem', 'ſku', 'a'.repeat(65), 'a\0', 7, null])(
    'refuses the key %j',
    (input) => {
      expect(read(skuSchema, input)).toBe('refused');
      expect(read(productKeySchema, input)).toBe('refused');
    },
  );

  it('takes a feature exactly as it is', () => {
    expect(read(featureSchema, 'image_generation2')).toBe('image_generation2');
    for (const good of ['reports.pdf_export', 'api.v2.read', 'a.2d', `a.${'b'.repeat(62)}`])
      expect(read(featureSchema, good)).toBe(good);
    for (const bad of ['.a', 'a.', 'a..b', 'a.B', '2.a', 'a.b c', `a.${'b'.repeat(63)}`])
      expect(read(featureSchema, bad), bad).toBe('refused');
    for (const bad of ['Image', 'image-generation', '2d', ' a', 'a ', '', '_a', 'a'.repeat(65)]) {
      expect(read(featureSchema, bad), bad).toBe('refused');
    }
  });

  it('reads a provider', () => {
    expect(read(providerSchema, ' TeleGram ')).toBe('telegram');
    expect(read(providerSchema, undefined)).toBe('default');
    expect(read(providerSchema, '  ')).toBe('default');
    expect(read(providerSchema, 'p'.repeat(65))).toBe('refused');
    expect(read(providerSchema, 'a\ud800')).toBe('refused');
  });

  it('reads an id in any case', () => {
    expect(read(uuidSchema, ` ${ID.toUpperCase()} `)).toBe(ID);
    for (const bad of ['', '7', `${ID}0`, ID.replaceAll('-', ''), `{${ID}}`])
      expect(read(uuidSchema, bad)).toBe('refused');
  });
});

describe('text', () => {
  it('is refused exactly when storing it in UTF-8 would change it, or when it has a NUL', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (input) => {
          const survives = Buffer.from(input, 'utf8').toString('utf8') === input && !input.includes('\0');
          expect(isStorableText(input)).toBe(survives);
        },
      ),
    );
  });

  it('is trimmed before it is measured', () => {
    expect(read(text({ max: 2 }), ' ab ')).toBe('ab');
    expect(read(text({ max: 2, trim: false }), ' ab ')).toBe('refused');
    expect(read(text({ min: 0 }), ' ')).toBe('');
    expect(read(text(), ' ')).toBe('refused');
  });
});

describe('numbers', () => {
  it('reads safe integers as the digits of an external id', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (id) => {
        expect(read(externalIdSchema, id)).toBe(String(id));
      }),
    );
    expect(read(externalIdSchema, -0)).toBe('0');
    for (const bad of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, 1e300])
      expect(read(externalIdSchema, bad)).toBe('refused');
  });

  it('counts from 0', () => {
    expect(read(countSchema, 0)).toBe(0);
    expect(read(countSchema, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    for (const bad of [-1, 0.5, 2 ** 53, '1', null]) expect(read(countSchema, bad)).toBe('refused');
  });

  it.each(['0', '9.99', '0.000001', '99999999999999.999999', '10.00'])('takes the amount of money %s', (input) => {
    expect(read(moneySchema, input)).toBe(input);
  });

  it.each(['', '.5', '5.', '-1', '+1', '01', '1e3', '1,5', ' 1', '0.0000001', '100000000000000', 'NaN', 9.99, null])(
    'refuses the amount of money %j',
    (input) => {
      expect(read(moneySchema, input)).toBe('refused');
    },
  );
});

describe('instants', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.123456+02:00', '2026-01-31T10:00:00.123Z'],
    ['2024-02-29T23:59:59-03:30', '2024-03-01T03:29:59.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (input, iso) => {
    expect((read(instantSchema, input) as Date).toISOString()).toBe(iso);
  });

  it.each([
    '2026-01-31T12:00:00',
    '2025-02-29',
    '2026-1-31',
    '20260131',
    '1899-12-31',
    '2026-02-30T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '1899-12-31T23:59:59Z',
    '9999-12-31T23:59:59-14:00',
    '+010000-01-01T00:00:00Z',
    '',
    1769860800000,
    null,
  ])('refuses %j', (input) => {
    expect(read(instantSchema, input)).toBe('refused');
  });

  it('are strings again on the wire', () => {
    expect(z.encode(instantSchema, new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('metadata', () => {
  it('is taken whole or refused, never changed', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 10 })), (input) => {
        const wire = JSON.parse(JSON.stringify(input));
        const metadata = read(metadataSchema, wire);
        if (metadata !== 'refused') expect(JSON.stringify(metadata)).toBe(JSON.stringify(wire));
      }),
    );
    expect(read(metadataSchema, undefined)).toEqual({});
  });
});

describe('the selector', () => {
  it('is refused when nothing names the customer', () => {
    expect(() => toSelector({ provider: 'telegram' })).toThrow(AppError);
  });
});

describe('cursors', () => {
  it('give back the position they were made from', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (created_at) => {
        const cursor = encodeCursor(createdAtPosition, { created_at, id: ID });
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(createdAtPosition, cursor)).toEqual({ created_at, id: ID });
      }),
    );
    expect(decodeCursor(seqPosition, undefined)).toBeUndefined();
  });

  it('of another list are refused', () => {
    expect(() => decodeCursor(createdAtPosition, encodeCursor(seqPosition, { seq: 1 }))).toThrow(AppError);
  });

  it('are never anything but refused when made up', () => {
    fc.assert(
      fc.property(fc.string(), (cursor) => {
        expect(() => decodeCursor(seqPosition, cursor)).toThrow(/cursor is not one/);
      }),
    );
  });
});

describe('pointers', () => {
  it('escape as RFC 6901 says', () => {
    expect(toJsonPointer([])).toBe('');
    expect(toJsonPointer(['a/b', 'm~n', 0, ''])).toBe('/a~1b/m~0n/0/');
  });
});
