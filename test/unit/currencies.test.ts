// Which codes are money, and with how many decimals: a table of our own, whatever the runtime knows.
import { describe, expect, it } from 'vitest';
import { currencyDecimals, isMoneyCurrency } from '../../src/lib/currencies.js';

describe('decimals of a currency', () => {
  it.each([
    ['USD', 2],
    ['EUR', 2],
    ['RUB', 2],
    // Those that runtimes round to what is in use.
    ['HUF', 2],
    ['IDR', 2],
    ['COP', 2],
    ['PKR', 2],
    ['ALL', 2],
    ['LAK', 2],
    ['LBP', 2],
    ['MMK', 2],
    ['RSD', 2],
    ['IQD', 3],
    ['KWD', 3],
    ['BHD', 3],
    ['TND', 3],
    ['CLF', 4],
    ['UYW', 4],
    ['JPY', 0],
    ['CLP', 0],
    ['VND', 0],
    ['UGX', 0],
    ['XTR', 0],
  ])('of %s are %i', (code, decimals) => {
    expect(isMoneyCurrency(code)).toBe(true);
    expect(currencyDecimals(code)).toBe(decimals);
  });

  it('of a currency product are none', () => {
    expect(currencyDecimals('TEST_STAR')).toBe(0);
  });
});

describe('a code that is no money', () => {
  it.each(['ABC', 'BTC', 'usd', 'US', '', 'TEST_STAR', 'XXX', 'XTS', 'XAU', 'TOSTRING', 'constructor'])(
    'is %j',
    (code) => {
      expect(isMoneyCurrency(code)).toBe(false);
    },
  );
});

describe('a currency that was withdrawn', () => {
  it.each(['ANG', 'BGN', 'CUC', 'HRK', 'SLL', 'ZWL'])('is still read: %s', (code) => {
    expect(isMoneyCurrency(code)).toBe(true);
    expect(currencyDecimals(code)).toBe(2);
  });
});
