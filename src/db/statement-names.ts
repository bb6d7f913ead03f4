// Names under which connections prepare our statements, once each: planning the larger ones takes longer than running them.
// Every statement text of ours is a constant, so there are few of them.

const names = new Map<string, string>();

/** The name of a statement text; the same for the whole process. */
export function statementName(sql: string): string {
  const known = names.get(sql);
  if (known !== undefined) return known;
  const name = `bursar_${names.size + 1}`;
  names.set(sql, name);
  return name;
}

/** The texts that were sent so far. */
export function knownStatements(): string[] {
  return [...names.keys()];
}

/** The name of a text of ours; undefined for what Prisma writes itself, whose texts vary. */
export function knownStatementName(sql: string): string | undefined {
  return names.get(sql);
}
