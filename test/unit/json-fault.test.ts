// Where a text stops being JSON, held against JSON.parse.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../src/lib/json-fault.js';
import { propertyRun } from '../property/seeds.js';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the fault of a text that is no JSON', () => {
  it.each([
    ['', 0, 1, 1, 'a value'],
    ['{', 1, 1, 2, 'a key in double quotes or }'],
    ['{"a":}', 5, 1, 6, 'a value'],
    ["{'a':1}", 1, 1, 2, 'a key in double quotes or }'],
    ['{"a" 1}', 5, 1, 6, ':'],
    ['{"a":1,}', 7, 1, 8, 'a key in double quotes'],
    ['{"a":1 "b":2}', 7, 1, 8, ', or }'],
    ['{"a":1}{', 7, 1, 8, 'the end'],
    ['[1,]', 3, 1, 4, 'a value'],
    ['[,1]', 1, 1, 2, 'a value or ]'],
    ['[1 2]', 3, 1, 4, ', or ]'],
    ['[1}', 2, 1, 3, ', or ]'],
    ['nonsense', 1, 1, 2, 'null'],
    ['{"a":undefined}', 5, 1, 6, 'a value'],
    ['{"a":NaN}', 5, 1, 6, 'a value'],
    ['{"a":01}', 6, 1, 7, ', or }'],
    ['{"a":1.}', 7, 1, 8, 'a digit'],
    ['{"a":1.e5}', 7, 1, 8, 'a digit'],
    ['{"a":-}', 6, 1, 7, 'a digit'],
    ['{"a":1e+}', 8, 1, 9, 'a digit'],
    ['{"a":"b', 7, 1, 8, 'a closing "'],
    ['{"a":"\n"}', 6, 1, 7, 'a control character of a text as an escape, such as \\n'],
    ['{"a":"\\x"}', 7, 1, 8, 'one of " \\ / b f n r t u after \\'],
    ['{"a":"\\u12g4"}', 10, 1, 11, 'four hexadecimal digits after \\u'],
    ['{\n  "a": 1,\r\n  "😀": tru\n}', 24, 3, 11, 'true'],
  ])('of %j is at %i: line %i, column %i, where %s is expected', (text, offset, line, column, expected) => {
    expect(findJsonFault(text)).toEqual({ offset, line, column, expected });
  });

  it('is found far below the call stack', () => {
    expect(findJsonFault('['.repeat(200_000))).toMatchObject({ offset: 200_000 });
    expect(findJsonFault(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toBeUndefined();
  });

  const run = propertyRun(2_000, 60_000);
  const characters = fc.constantFrom(...'{}[]",:\\ \n-+.0123eEtruefalsn/ub\u0001😀a');
  it('is there when JSON.parse refuses, and not when it accepts', { timeout: run.timeout }, () => {
    const spoiled = fc
      .tuple(fc.json(), fc.nat(), fc.array(characters, { maxLength: 3 }), fc.nat(3))
      .map(([json, place, put, cut]) => {
        const at = place % (json.length + 1);
        return json.slice(0, at) + put.join('') + json.slice(at + cut);
      });
    const texts = fc.oneof(
      spoiled,
      fc.json(),
      fc.array(characters, { maxLength: 12 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const fault = findJsonFault(text);
        expect(fault === undefined, JSON.stringify(fault)).toBe(isJson(text));
        // What stands before the fault is not to blame: it is the fault of no longer text.
        if (fault) expect(findJsonFault(text.slice(0, fault.offset))?.offset ?? fault.offset).toBe(fault.offset);
      }),
      run.parameters,
    );
  });
});
