// The names of the wire are those of the code in snake_case.

type Members = Record<string, unknown>;

/** Members of ours under the wire's names, and so whatever they hold. */
export function toWireNames(members: Readonly<Members>): Members {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [toWireName(name), translate(value)]));
}

function translate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(translate);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return toWireNames(value as Members);
}

/** upgradeSkus -> upgrade_skus */
function toWireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
