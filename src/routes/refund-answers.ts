// What a refund or a dispute is answered, whoever told it, and what is recorded of it.
import { renderJson } from '../http/serialisation.js';
import type { Dispute, Refund } from '../ledger/order-entities.js';
import { disputedOrderAnswer, refundedOrderAnswer } from '../schemas/orders.js';
import type { AfterSaleResult } from '../services/refunds.js';
import { toDisputeView, toOrderView, toRecoveryView, toRefundView } from './views.js';

/** A refund as it is answered, and recorded. */
export const renderRefund = ({ told, recovery, ...result }: AfterSaleResult<Refund>) => ({
  status: 200,
  body: renderJson(refundedOrderAnswer, {
    ...toOrderView(result),
    refund: { ...toRefundView(told, result.order), ...toRecoveryView(recovery) },
  }),
});

/** A dispute as it is answered, and recorded. */
export const renderDispute = ({ told, recovery, ...result }: AfterSaleResult<Dispute>) => ({
  status: 200,
  body: renderJson(disputedOrderAnswer, {
    ...toOrderView(result),
    dispute: { ...toDisputeView(told, result.order), ...toRecoveryView(recovery) },
  }),
});
