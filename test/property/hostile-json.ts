// Draws requests that are nearly right: bodies, parameters and headers made from the routes' OpenAPI schemas, with something wrong every now
// and then, at any depth. Bodies are JSON texts, not values, so that they can hold what no value can (-0, 1e400, keys twice, half a body).
import fc from 'fast-check';

/** As much of a JSON schema as is used here. */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  examples?: unknown[];
  example?: unknown;
  default?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** By the name of a field: values that exist, so that requests get past the first look-up. */
export type KnownValues = Readonly<Record<string, readonly unknown[]>>;

const UNSAFE = '9007199254740993';
const DEPTH_MAX = 6;
const DEEP = 50_000;
const LONG = 5_000;
/** Where a body is cut off at the latest. */
const LENGTH_CUT_MAX = 200;

/** Texts that trip somebody up: characters, lengths, and words that mean something in some language. */
const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\t\n',
  '\0',
  'a\0b',
  '\ud800',
  'x\udc00y',
  '\u202egnp.exe',
  '\u200b',
  '\ufeff',
  'e\u0301\u0301\u0301',
  '👩‍👩‍👧‍👦',
  'ﷺ'.repeat(100),
  'ß',
  'ı',
  '٤٧١١',
  'a'.repeat(256),
  'z'.repeat(LONG),
  '😀'.repeat(128),
  "'; DROP TABLE customers; --",
  '{{7*7}}',
  '%s%n',
  '../../etc/passwd',
  '\\',
  '"',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '-1',
  '1e3',
  '0x10',
  ' 1',
  '1.0000001',
  '99999999999999999999',
  '__proto__',
  'constructor',
  'toString',
  '{1,2}',
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00Z',
  '2026-01-31',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '01930F5E-8C3A-7B1E-9D52-3F0C6A1B2C4D',
];

const hostileNumbers: readonly string[] = [
  '0',
  '-0',
  '-1',
  '0.5',
  '1.0000000000000001',
  '1e308',
  '1e400',
  '-1e400',
  '5e-324',
  UNSAFE,
  '9007199254740991',
  '9007199254740992',
  '-9007199254740992',
  '9223372036854775807',
  '9223372036854775808',
  '2147483648',
  '1E2',
];

const hostileShapes: readonly string[] = [
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '[null]',
  '[[1]]',
  '{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{}}}',
  '{"\\u005f_proto__":1}',
  '{"":""}',
  '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
  '{"length":-1}',
  '["a","a","a"]',
  '{"$ne":null}',
  '{"toJSON":1,"then":1}',
  '{"a\\u0000":"\\ud800"}',
];

/** Bodies that are not what they should be as a whole. */
const hostileBodies: readonly string[] = [
  '',
  ' ',
  'null',
  '[]',
  '[{}]',
  '"text"',
  '1',
  'true',
  '{',
  '{"a":',
  '{"a":1,}',
  "{'a':1}",
  '{"a":NaN}',
  '{"a":01}',
  '\ufeff{}',
  '{"a":"\u0001"}',
  '{} {}',
  'undefined',
  'customer_id=1',
  '<xml/>',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  `{"metadata":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`,
  '['.repeat(DEEP),
  `{"external_id":"${'a'.repeat(1_100_000)}"}`,
];

const text = (value: unknown) => JSON.stringify(value);

/** Any JSON text that is unlikely to be what was asked for. */
const hostileJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileTexts).map(text) },
  { weight: 4, arbitrary: fc.constantFrom(...hostileNumbers) },
  { weight: 4, arbitrary: fc.constantFrom(...hostileShapes) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map(text) },
);

/** Makes JSON of schemas in which one value of so many is not what was asked for. */
export class HostileJson {
  readonly #known: KnownValues;
  readonly #oneIn: number;

  constructor(known: KnownValues, oneIn: number) {
    this.#known = known;
    this.#oneIn = oneIn;
  }

  /** Draws from `usual`, and one time in so many from `odd`. */
  seldom<A, B>(usual: fc.Arbitrary<A>, odd: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
    return fc.oneof({ weight: this.#oneIn - 1, arbitrary: usual }, { weight: 1, arbitrary: odd });
  }

  /** A body of the schema, mostly; undefined sends none. */
  body(schema: Schema): fc.Arbitrary<string | undefined> {
    const body = this.#json(schema, '', 0);
    const cut = fc.tuple(body, fc.nat(LENGTH_CUT_MAX)).map(([whole, at]) => whole.slice(0, at));
    return this.seldom(body, fc.oneof(cut, fc.constantFrom(...hostileBodies), fc.constant(undefined)));
  }

  /** The text of a path or query parameter, mostly of its schema. */
  parameter(name: string, schema: Schema): fc.Arbitrary<string> {
    const usual = this.#json(schema, name, DEPTH_MAX).map((json) => json.replace(/^"(.*)"$/s, '$1'));
    return this.seldom(usual, fc.constantFrom(...hostileTexts));
  }

  #json(schema: Schema, name: string, depth: number): fc.Arbitrary<string> {
    return this.seldom(this.#usual(schema, name, depth), hostileJson);
  }

  #usual(schema: Schema, name: string, depth: number): fc.Arbitrary<string> {
    const variants = schema.anyOf ?? schema.oneOf;
    const known = this.#known[name];
    if (known) return fc.constantFrom(...known.map(text));
    if (variants) return fc.oneof(...variants.map((variant) => this.#json(variant, name, depth)));
    if (schema.const !== undefined) return fc.constant(text(schema.const));
    if (schema.enum) return fc.constantFrom(...schema.enum.map(text));
    if (schema.properties) return this.#object(schema, depth);
    if (schema.items && depth < DEPTH_MAX) {
      const items = fc.array(this.#json(schema.items, '', depth + 1), { minLength: 1, maxLength: 3 });
      return items.map((members) => `[${members.join(',')}]`);
    }
    const examples = [...(schema.examples ?? []), schema.example, schema.default].filter(
      (value) => value !== undefined,
    );
    return examples.length === 0 ? ofType(schema) : this.seldom(fc.constantFrom(...examples.map(text)), ofType(schema));
  }

  /** Required fields are nearly always there, the others now and then; fields nobody asked for and fields given twice come too. */
  #object(schema: Schema, depth: number): fc.Arbitrary<string> {
    const absent = fc.constant('');
    const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
      const member = this.#json(field, name, depth + 1).map((json) => `${text(name)}:${json}`);
      return schema.required?.includes(name) ? this.seldom(member, absent) : sometimes(name, member, absent);
    });
    const names = [...hostileTexts, 'extra', ...Object.keys(schema.properties ?? {})];
    const strange = fc.tuple(fc.constantFrom(...names), hostileJson).map(([name, json]) => `${text(name)}:${json}`);
    const all = fc.tuple(...fields, this.seldom(absent, strange));
    return all.map((members) => `{${members.filter((member) => member !== '').join(',')}}`);
  }
}

/** How often an optional field is there: those by which a request says what it is about more often than others. */
export function sometimes<A, B>(name: string, present: fc.Arbitrary<A>, absent: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
  const [there, gone] =
    name === 'customer_id' ? [10, 1] : /^(?:product_key|sku|payment_id)$|^refer/.test(name) ? [1, 1] : [1, 8];
  return fc.oneof({ weight: there, arbitrary: present }, { weight: gone, arbitrary: absent });
}

function ofType({ type, format, minimum = 0, maximum = 100 }: Schema): fc.Arbitrary<string> {
  switch (Array.isArray(type) ? type[0] : type) {
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(minimum, -100), max: Math.min(maximum, 100) }).map(text);
    case 'boolean':
      return fc.boolean().map(text);
    case 'null':
      return fc.constant('null');
    case 'object':
      return fc.constantFrom('{}', '{"source":"bot"}', ...hostileShapes);
    case 'array':
      return fc.constant('[]');
    default:
      if (format === 'date-time') return fc.constantFrom('"2026-02-01T00:00:00Z"', '"2027-01-01T00:00:00+14:00"');
      if (format === 'uuid') return fc.uuid().map(text);
      return fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).map(text);
  }
}
