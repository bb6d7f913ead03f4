// The names of the wire are those of the code in snake_case.

type Members = Record<string, unknown>;

/** Members of ours under the wire's names, and so whatever they hold. */
export function toWireNames(members: Readonly<Members>): Members {
  const named: Members = {};
  for (const [name, value] of Object.entries(members)) named[toWireName(name)] = translate(value);
  return named;
}

function translate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(translate);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return toWireNames(value as Members);
}

/** Members of ours that are kept as they are told: what is the caller's own JSON in them, `metadata` and `profile`, stays as it is. */
export function toWireData({ metadata, profile, ...ours }: Readonly<Members>): Members {
  return {
    ...toWireNames(ours),
    ...(metadata !== undefined && { metadata }),
    ...(profile !== undefined && { profile }),
  };
}

/** upgradeSkus -> upgrade_skus. Most are one word, which a test tells sooner than a replacement. */
function toWireName(name: string): string {
  return /[A-Z]/.test(name) ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
}
