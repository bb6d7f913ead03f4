// Quantities: whole units, exact in a JavaScript number because every total is kept within 2^53-1.

export const QUANTITY_MAX = Number.MAX_SAFE_INTEGER;

/** Multiplies two quantities; null when the product is above QUANTITY_MAX. */
export function multiplyQuantities(a: number, b: number): number | null {
  if (b !== 0 && a > Math.floor(QUANTITY_MAX / b)) return null;
  return a * b;
}

/** Whether `a + b` stays within QUANTITY_MAX. */
export function canAdd(a: number, b: number): boolean {
  return a <= QUANTITY_MAX - b;
}

/** Units by product as they are told: keys of products are the caller's, and no names of members. */
export function amountsOf(units: Readonly<Record<string, number>>): { productKey: string; amount: number }[] {
  return Object.entries(units).map(([productKey, amount]) => ({ productKey, amount }));
}
