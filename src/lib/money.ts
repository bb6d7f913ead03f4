// Money as whole millionths of a currency unit in a bigint: numeric(20,6) of the database without floats.

const SCALE = 6;
export const MICROS_PER_UNIT = 10n ** BigInt(SCALE);
/** The largest amount that numeric(20,6) holds, in millionths. */
export const MONEY_MAX = 10n ** 20n - 1n;

/** An amount of money in millionths of its currency's unit. */
export type Micros = bigint;

/** Parses a plain decimal string with at most six decimals, as the schemas and the database give it. */
export function parseMoney(text: string): Micros {
  const [units = '0', decimals = ''] = text.split('.');
  return BigInt(units) * MICROS_PER_UNIT + BigInt(decimals.slice(0, SCALE).padEnd(SCALE, '0'));
}

/** Writes an amount with exactly `decimals` decimals; more are added when the amount needs them. */
export function formatMoney(amount: Micros, decimals: number): string {
  const units = amount / MICROS_PER_UNIT;
  const fraction = (amount % MICROS_PER_UNIT).toString().padStart(SCALE, '0');
  let kept = SCALE;
  while (kept > decimals && fraction[kept - 1] === '0') kept -= 1;
  return kept === 0 ? units.toString() : `${units}.${fraction.slice(0, kept)}`;
}

/** Whether an amount has no more than `decimals` decimals. */
export function hasAtMostDecimals(amount: Micros, decimals: number): boolean {
  return amount % minorUnit(decimals) === 0n;
}

/** The smallest amount of a currency with so many decimals. */
export function minorUnit(decimals: number): Micros {
  return 10n ** BigInt(SCALE - Math.min(decimals, SCALE));
}
