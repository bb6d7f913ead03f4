// Lists of a family, whose things readers see as one customer's: $1 holds the ids of its members. Nothing but texts of SQL.

/** The condition that a row of `table` is one of a member. */
export function ofFamily(table: string): string {
  return `${table}.customer_id = ANY ($1::uuid[])`;
}

/**
 * One page: the first rows of each member, then the first of them all. `ofMember` selects rows of `family.customer_id`, of which an index has
 * the `order`, so that a page reads about as many as it shows; over `ANY ($1)` it would read and sort the whole history. `orderOfAll` is for rows
 * whose order within a member means nothing among several. `family` may tell more of its members.
 */
export function familyPage(
  ofMember: string,
  order: string,
  limit: string,
  orderOfAll = order,
  family = 'unnest($1::uuid[]) AS family (customer_id)',
): string {
  return `
SELECT page.* FROM ${family} CROSS JOIN LATERAL (
  ${ofMember} ORDER BY ${order} LIMIT ${limit}
) page ORDER BY ${orderOfAll} LIMIT ${limit}`;
}
