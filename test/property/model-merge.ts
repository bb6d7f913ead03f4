// How the model's customers become one. Written from the documented rules alone, like the rest of the model.
import type { Model } from './model.js';
import { isOver } from './model-wallet.js';
import type { MergeFacts } from './requests.js';

/** What is there of the source goes on with the target, for ever; what is his by its id stays so. */
export function mergeModels({ wallet: target }: Model, source: Model): MergeFacts {
  const { wallet, orders } = source;
  const facts: MergeFacts = {
    batches: 0,
    units: {},
    owed: Object.fromEntries(Object.entries(wallet.owed).filter(([, units]) => units > 0)),
    openOrders: orders.list.filter((order) => orders.statusOf(order) === 'pending').length,
    openReservations: wallet.reservations.filter(({ status }) => status === 'held').length,
    droppedLimits: wallet.limits.length,
  };
  for (const batch of wallet.batches) {
    const { product, granted, left } = batch;
    if (isOver(batch, wallet.now) || (granted !== null && left === 0)) continue;
    facts.batches += 1;
    if (granted !== null) facts.units[product] = (facts.units[product] ?? 0) + left;
  }
  wallet.leadTo(target);
  return facts;
}
