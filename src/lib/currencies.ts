// Which currencies exist and how many decimals they have: the platform's Intl, Telegram Stars, and the keys of currency products.

const ISO_CODES = new Set(Intl.supportedValuesOf('currency'));
/** Telegram Stars: no ISO code, sold in whole stars. */
const STARS = 'XTR';

/** Whether `code` names money (as opposed to a currency product). */
export function isMoneyCurrency(code: string): boolean {
  return code === STARS || ISO_CODES.has(code);
}

/** Decimals of a currency: from Intl for money, none for Telegram Stars and for currency products. */
export function currencyDecimals(code: string): number {
  if (code === STARS || !ISO_CODES.has(code)) return 0;
  const { maximumFractionDigits } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency: code,
  }).resolvedOptions();
  return maximumFractionDigits ?? 0;
}
