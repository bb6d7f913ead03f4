// Which currencies exist and how many decimals they have. A table of our own: what the platform's Intl says differs from ISO 4217 and changes with
// the runtime, and a price must be read tomorrow as it was written.

/**
 * ISO 4217, list one as published on 2026-01-01 by its maintenance agency (SIX Group, list-one.xml), by number of decimals. Left out are
 * the codes without a minor unit: metals, bond market units, units of account, tests.
 */
const ISO_4217: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE
      CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
      LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
      RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
      XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** Withdrawn since 2023 (list three, the same day), all with two decimals: offers and orders may be priced in them. */
const WITHDRAWN = 'ANG BGN CUC HRK SLL ZWL';

/** Telegram Stars: no ISO code, sold in whole stars. */
const STARS = 'XTR';

const DECIMALS = new Map<string, number>([
  [STARS, 0],
  ...codesIn(WITHDRAWN).map((code) => [code, 2] as const),
  ...Object.entries(ISO_4217).flatMap(([decimals, codes]) =>
    codesIn(codes).map((code) => [code, Number(decimals)] as const),
  ),
]);

function codesIn(list: string): string[] {
  return list.split(/\s+/);
}

/** Whether `code` names money (as opposed to a currency product). */
export function isMoneyCurrency(code: string): boolean {
  return DECIMALS.has(code);
}

/** Decimals of a currency: from the table for money, none for currency products. */
export function currencyDecimals(code: string): number {
  return DECIMALS.get(code) ?? 0;
}
