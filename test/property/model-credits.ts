// Credits of the model's customer: plain amounts of a product that counts as money, and what is owed of it. Written from the documented rules
// alone, like the rest of the model.
import { products } from './catalogue.js';
import { judgeLimits, refuseUse } from './model-limits.js';
import { holdingsOf } from './model-readers.js';
import { isRetired, refuse } from './model-rules.js';
import type { ModelWallet } from './model-wallet.js';
import type { Expected, Request } from './requests.js';

export class ModelCredits {
  readonly #wallet: ModelWallet;

  constructor(wallet: ModelWallet) {
    this.#wallet = wallet;
  }

  add({ product, amount, expiresAt }: Extract<Request, { kind: 'add credits' }>): Expected {
    const codes = noCurrency(product);
    if (isRetired(product)) codes.push('product_inactive');
    if (expiresAt !== null && expiresAt <= this.#wallet.now) codes.push('invalid_request');
    if (codes.length > 0) return refuse(...codes);
    const { batch, consumed } = this.#wallet.addBatch(product, amount, { validFrom: this.#wallet.now, expiresAt }, 0);
    return { outcome: 'accepted', facts: { batch, repaid: consumed, balance: this.#balanceOf(product) } };
  }

  deduct({ product, amount, allowNegative }: Extract<Request, { kind: 'deduct credits' }>): Expected {
    const codes = noCurrency(product);
    if (codes.length > 0) return refuse(...codes);
    if (allowNegative) {
      const { warnings } = judgeLimits(this.#wallet, { product }, amount, { allowed: true, taken: [] }, true);
      const { taken, owed } = this.#wallet.overdraw(product, amount);
      return { outcome: 'accepted', facts: { taken, owed, balance: this.#balanceOf(product), warnings } };
    }
    const plan = this.#wallet.plan({ product }, amount, this.#wallet.now);
    const verdict = judgeLimits(this.#wallet, { product }, amount, plan);
    const refusal = refuseUse(this.#wallet, plan, verdict);
    if (refusal) return refusal;
    this.#wallet.take(plan, 'used');
    const { warnings } = verdict;
    return { outcome: 'accepted', facts: { taken: plan.taken, owed: 0, balance: this.#balanceOf(product), warnings } };
  }

  #balanceOf(product: string): number {
    return holdingsOf(this.#wallet).balances[product] ?? 0;
  }
}

function noCurrency(product: string): string[] {
  const known = products.find(({ key }) => key === product);
  if (!known) return ['product_not_found'];
  return known.isCurrency === true ? [] : ['product_not_currency'];
}
