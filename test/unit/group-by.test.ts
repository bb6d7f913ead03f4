import { describe, expect, it } from 'vitest';
import { groupBy } from '../../src/lib/group-by.js';

describe('groupBy', () => {
  it('keeps the order of the values in a group, and of the groups by their first values', () => {
    const groups = groupBy(['plum', 'fig', 'pear', 'apple', 'kiwi'], (word) => word.length);
    expect([...groups]).toEqual([
      [4, ['plum', 'pear', 'kiwi']],
      [3, ['fig']],
      [5, ['apple']],
    ]);
  });

  it('tells keys apart as a map does', () => {
    expect([...groupBy<unknown, unknown>([1, '1', undefined, null], (value) => value).keys()]).toEqual([
      1,
      '1',
      undefined,
      null,
    ]);
  });

  it('takes anything that can be gone through once, and asks for each key once', () => {
    let asked = 0;
    const groups = groupBy(new Set([1, 2, 3]).values(), (value) => {
      asked += 1;
      return value % 2 === 0;
    });
    expect(groups).toEqual(
      new Map([
        [false, [1, 3]],
        [true, [2]],
      ]),
    );
    expect(asked).toBe(3);
  });

  it('makes no group of nothing', () => {
    expect(groupBy([], String).size).toBe(0);
  });
});
