// Lists in a query as clients write them that number the members of an array: `sku[0]=A&sku[1]=B`, or `sku[]=A`. Folds them into the repeated form, for
// the members that may be repeated and no other.
import type { z } from 'zod';
import { isRepeatable } from '../schemas/query.js';

/** A parsed query string. */
export type Query = Readonly<Record<string, string | string[]>>;

const NUMBERED = /^([^[\]]+)\[(\d{0,6})\]$/;

/** The members of a query that may be repeated. */
export function listsOf({ shape }: z.ZodObject): string[] {
  return Object.keys(shape).filter((name) => isRepeatable(shape[name] as z.ZodType));
}

/** The query with the numbered members of these lists in their places: after those that are not numbered, by number, then as they were given. */
export function foldLists(query: Query, lists: readonly string[]): Query {
  const numbered: { list: string; place: number; values: string | string[] }[] = [];
  const folded: [name: string, values: string | string[]][] = [];
  for (const [name, values] of Object.entries(query)) {
    const [, list = '', place = ''] = NUMBERED.exec(name) ?? [];
    if (lists.includes(list)) numbered.push({ list, place: place === '' ? Infinity : Number(place), values });
    else folded.push([name, values]);
  }
  if (numbered.length === 0) return query;
  const of = (list: string) => [
    ...folded.filter(([name]) => name === list).flatMap(([, values]) => values),
    ...numbered
      .filter((each) => each.list === list)
      .sort((left, right) => (left.place < right.place ? -1 : Number(left.place > right.place)))
      .flatMap(({ values }) => values),
  ];
  return Object.fromEntries([
    ...folded,
    ...[...new Set(numbered.map(({ list }) => list))].map((list) => [list, of(list)] as const),
  ]);
}
