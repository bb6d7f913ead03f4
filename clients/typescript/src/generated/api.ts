// Generated from openapi/openapi.json by `npm run client`.
export interface paths {
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/identify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["identify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listCustomers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getCustomer"];
        put?: never;
        post?: never;
        delete: operations["eraseCustomer"];
        options?: never;
        head?: never;
        patch: operations["updateCustomer"];
        trace?: never;
    };
    "/api/v1/billing/customers/{id}/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["linkIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers/{id}/identities/{provider}/{external_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["unlinkIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["mergeCustomers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers/{id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["exportCustomer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/catalog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listOffers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/catalog/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOffer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/catalog/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["exportCatalog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listProducts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/products/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getProduct"];
        put: operations["putProduct"];
        post?: never;
        delete: operations["retireProduct"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/offers/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getAnyOffer"];
        put: operations["putOffer"];
        post?: never;
        delete: operations["retireOffer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listOrders"];
        put?: never;
        post: operations["placeOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["confirmOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listPayments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}/refund": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["refundOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}/dispute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["disputeOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/orders/{id}/checkout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkoutOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listPaymentEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/inbox/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getPaymentEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/inbox/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["replayPaymentEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/inbox/{id}/dismiss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["dismissPaymentEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payment-sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listPaymentSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payment-sources/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getPaymentSource"];
        put: operations["putPaymentSource"];
        post?: never;
        delete: operations["deletePaymentSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payment-sources/{name}/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["tryPaymentSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listGrants"];
        put?: never;
        post: operations["grant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/demo/trial-grant": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["grantTrial"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/credits/add": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["addCredits"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/credits/deduct": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["deductCredits"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/credits/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getCreditsBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/credits/expiring": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listExpiringCredits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/wallet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getWallet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/wallet/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listBatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/wallet/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkQuota"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/check/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkQuotaBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/consume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["consumeQuota"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/wallet/consume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["consumeWallet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/consume/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["consumeQuotaBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["giveBackQuota"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/operations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/wallet/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/products/{key}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getProductReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getQuotaStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getQuotaUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/quota/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listQuotaEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/reservations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listReservations"];
        put?: never;
        post: operations["createReservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/reservations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReservation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/reservations/{id}/commit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["commitReservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/reservations/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["releaseReservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/reservations/{id}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["extendReservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listLimits"];
        put: operations["putLimit"];
        post?: never;
        delete: operations["deleteLimit"];
        options?: never;
        head?: never;
        patch: operations["patchLimit"];
        trace?: never;
    };
    "/api/v1/billing/limits/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getLimit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/limits/source": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getLimitSource"];
        put: operations["putLimitSource"];
        post?: never;
        delete: operations["deleteLimitSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/exchange": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["exchange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referral-programs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listReferralPrograms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referral-programs/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReferralProgram"];
        put: operations["putReferralProgram"];
        post?: never;
        delete: operations["deleteReferralProgram"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referrals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listReferrals"];
        put?: never;
        post: operations["attachReferral"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referrals/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReferralStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listSubscriptions"];
        put?: never;
        post: operations["subscribe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSubscription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions/{id}/change": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["changeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["resumeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions/{id}/renew": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["renewSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/subscriptions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["cancelSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referrals/rewards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listRewards"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referrals/rewards/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["releaseReward"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/referrals/rewards/{id}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["refuseReward"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["followEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listEndpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getEndpoint"];
        put: operations["putEndpoint"];
        post?: never;
        delete: operations["deleteEndpoint"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["testEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints/{id}/deliveries/{delivery_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["retryDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/webhook-endpoints/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["replayDeliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/customers/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["issueCustomerToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listApiKeys"];
        put?: never;
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/api-keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["rotateApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/invariants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["proveInvariants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/sandbox/clock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getClock"];
        put: operations["putClock"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/catalog/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["importCatalog"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["receivePayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/generic/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["receiveGenericPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/billing/payments/reconcile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["reconcilePayments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        ApiKey: {
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description Whose idempotency keys it uses; a rotated key keeps it.
             */
            owner_id: string;
            name: string;
            scopes: ("read" | "consume" | "orders" | "payments" | "grants" | "catalog" | "prices" | "events" | "admin")[];
            /** @description The key that made it. */
            created_by: string;
            /** Format: date-time */
            created_at: string;
            expires_at: string | null;
            revoked_at: string | null;
            /** @description To the hour. */
            last_used_at: string | null;
        };
        /** @description granted = available + held + consumed + expired + revoked + transferred. */
        Batch: {
            /** Format: uuid */
            id: string;
            product_key: string;
            source: string;
            sku: string | null;
            order_id: string | null;
            /** @description The subscription in whose period it was allocated, or goes on. */
            subscription_id: string | null;
            /** @description The line of the order that granted it: `id` of its `items`. */
            order_item_id: string | null;
            /** @description Null when the product is not counted. */
            granted: number | null;
            available: number;
            held: number;
            consumed: number;
            expired: number;
            revoked: number;
            transferred: number;
            priority: number;
            /** Format: date-time */
            valid_from: string;
            expires_at: string | null;
            /**
             * @description `pending` is not valid yet; `exhausted` has nothing left.
             * @enum {string}
             */
            state: "active" | "pending" | "exhausted" | "expired" | "revoked";
            /** Format: date-time */
            created_at: string;
            /** @description Empty where an order granted it: the order has it. */
            metadata: {
                [key: string]: unknown;
            };
        };
        /** @description What the file changed, or would change. */
        CatalogImport: {
            /** @description Whether nothing was written. */
            dry_run: boolean;
            products: {
                created: number;
                updated: number;
                unchanged: number;
            };
            offers: {
                created: number;
                updated: number;
                unchanged: number;
            };
            /** @description Why offers of the file can’t be sold, or give nothing, as they stand; the first 1,000. */
            warnings: {
                /** @enum {string} */
                code: "no_items" | "no_price" | "free_without_limit" | "product_inactive" | "quantity_too_large";
                /** @description The place in the body. */
                pointer: string;
                message: string;
                sku: string;
            }[];
            warnings_total: number;
        };
        ChangePaidProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "change_paid";
            /** @description The order that paid the next period. */
            order_id: string;
        };
        CursorExpiredProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "cursor_expired";
            /** @description Where the oldest events begin that are left. */
            oldest_cursor: string;
        };
        Customer: {
            /** Format: uuid */
            id: string;
            identities: {
                /** Format: uuid */
                identity_id: string;
                provider: string;
                external_id: string;
                profile: {
                    [key: string]: unknown;
                };
                /** Format: date-time */
                created_at: string;
            }[];
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** @description When it was erased; null if it was not. */
            erased_at: string | null;
        };
        CustomerErasedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "customer_erased";
            /** @description Who was erased, where the request names several customers. */
            customer_id: string;
        };
        CustomerErasure: {
            /** Format: uuid */
            customer_id: string;
            /**
             * Format: date-time
             * @description From then on nothing was written of him but what payment providers told.
             */
            erased_at: string;
            /** @description When the last of what is personal was blanked; null while a job goes on with it. Repeat the call to look. */
            blanked_at: string | null;
            closed: {
                /** @description By which he is known no more. */
                identities: number;
                /** @description Orders that waited for a payment, and were cancelled. */
                orders: number;
                /** @description Holds that were released. */
                reservations: number;
                subscriptions: number;
                /** @description Rewards that were not granted yet, and were cancelled. */
                rewards: number;
                /** @description Batches of which something was left, and was revoked. */
                batches: number;
                /** @description Units that were revoked, by product. */
                units: {
                    [key: string]: number;
                };
            };
        };
        CustomerMerge: {
            /**
             * Format: uuid
             * @description The target.
             */
            customer_id: string;
            /** Format: uuid */
            source_customer_id: string;
            /** @description Whether nothing was written. */
            dry_run: boolean;
            moved: {
                identities: number;
                batches: number;
                /** @description Available units that moved, by product. */
                units: {
                    [key: string]: number;
                };
                /** @description What was owed, by product. */
                owed: {
                    [key: string]: number;
                };
                /** @description Orders that wait for a payment: they grant to the target. */
                open_orders: number;
                /** @description Holds: what comes back of them comes to the target. */
                open_reservations: number;
                /** @description Customers that were merged into the source before. */
                merged_before: number;
                /** @description Subscriptions of the source that had not ended: they go on with the target, as they are. */
                subscriptions: {
                    /**
                     * Format: uuid
                     * @description It keeps its id.
                     */
                    subscription_id: string;
                    sku: string;
                    plan_group: string;
                    /** @enum {string} */
                    status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                }[];
            };
            dropped: {
                referrals: {
                    /** Format: uuid */
                    referral_id: string;
                    /** Format: uuid */
                    referrer_id: string;
                    /** Format: uuid */
                    referee_id: string;
                    /** @enum {string} */
                    reason: "target_has_referrer" | "joins_both" | "closes_ring";
                }[];
                /** @description Rewards not granted yet, of one side for bringing the other: they are cancelled. */
                rewards: {
                    /** Format: uuid */
                    reward_id: string;
                    /** Format: uuid */
                    referral_id: string;
                    /**
                     * Format: uuid
                     * @description Who would have got it.
                     */
                    customer_id: string;
                    program_key: string;
                    /** @description `customers_merged`. */
                    reason: string;
                }[];
                /** @description Limits of the source’s own: those of the target are in force. */
                limits: number;
                /** @description Of two of a plan group the one that ended sooner: it is cancelled, what it allocated lasts as long as it was to last. */
                subscriptions: {
                    /** Format: uuid */
                    subscription_id: string;
                    /**
                     * Format: uuid
                     * @description Whose it was: the source’s or the target’s.
                     */
                    customer_id: string;
                    sku: string;
                    plan_group: string;
                    /** @enum {string} */
                    reason: "another_ends_later";
                    /**
                     * Format: uuid
                     * @description The one of the group that stays.
                     */
                    stays_id: string;
                }[];
            };
        };
        CustomerMergedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "customer_merged";
            /** @description Whom it leads to. */
            final_customer_id: string;
        };
        Entry: {
            /** Format: uuid */
            id: string;
            /** @description Per customer, without gaps. */
            seq: number;
            /** @enum {string} */
            kind: "grant" | "consume" | "expire" | "revoke" | "hold" | "release" | "commit" | "reverse" | "debt" | "repay" | "forgive" | "adjust" | "transfer_out" | "transfer_in";
            /** @enum {string} */
            direction: "credit" | "debit" | "none";
            product_key: string;
            batch_id: string | null;
            amount: number;
            /** @description Of the product, after this entry: available minus owed, units that become valid later included; 0 when it is not counted. */
            balance_after: number;
            feature: string | null;
            /** @description Product units of one feature unit when the units moved; null when the product was asked for. */
            unit_cost: number | null;
            action_type: string | null;
            action_id: string | null;
            order_id: string | null;
            reservation_id: string | null;
            /** @description The entry of which this one gives something back. */
            reverses_seq: number | null;
            /** @description Null when it happened by itself, such as an expiry. */
            operation_id: string | null;
            /** @description Empty where an order granted it or a reservation lapsed: they have it. */
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            occurred_at: string;
            /** @description The refund that took it, or that failed and gives it back. */
            refund_id: string | null;
            /** @description The dispute that took it, or that was won and gives it back. */
            dispute_id: string | null;
        };
        /** @description One faulty place in the request. */
        FieldError: {
            /** @description A JSON pointer into the body, or `query/<name>`, `path/<name>`, `header/<name>`, or `record/<number>/<column>` of a CSV file. */
            pointer: string;
            code: string;
            message: string;
            /** @description Of a file: the line on which the record begins. */
            line?: number;
            /** @description Of a file: the number of the record among those of its kind, without the header. */
            record?: number;
            /** @description Of a file: the column, or the member of the record. */
            column?: string;
        };
        InsufficientQuotaProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "insufficient_quota";
            requested: number;
            available: number;
            /** @description What is left, in the unit asked for, as an answer of success says it: all that is available. */
            remaining: number;
            reasons: ({
                code: string;
            } & {
                [key: string]: unknown;
            })[];
            /** @description Limits that stand against it beside. */
            violations?: {
                product_key?: string;
                feature?: string;
                /**
                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                 * @enum {string}
                 */
                window: "hour" | "day" | "month" | "billing_period" | "total";
                /** @description What was used in the window before, in the subject’s unit. */
                current: number;
                requested: number;
                limit: number;
                /**
                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                 * @enum {string}
                 */
                enforcement: "HARD" | "SOFT" | "NONE";
                /** @description When the window ends; null of `total`. */
                resets_at: string | null;
            }[];
            /** @description Offers that would help and that this customer could buy, cheapest first; 10 at most. */
            upgrade_skus: string[];
            /** @description The same offers, with what they cost. */
            upgrade_offers: {
                sku: string;
                name: string;
                price: string;
                currency: string;
            }[];
        };
        InvalidCatalogProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "invalid_catalog";
            /** @description How many there are: `errors` lists the first 10,000. */
            faults: number;
        };
        Limit: {
            /** Format: uuid */
            id: string;
            /**
             * @description How near it is: the nearest wins, window by window. `source`: copied of the customer whose limits are shared.
             * @enum {string}
             */
            scope: "customer" | "source" | "plan" | "default";
            customer_id: string | null;
            plan_sku: string | null;
            product_key?: string;
            feature?: string;
            windows: {
                hour?: number | null;
                day?: number | null;
                month?: number | null;
                billing_period?: number | null;
                total?: number | null;
            };
            /**
             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
             * @enum {string}
             */
            enforcement: "HARD" | "SOFT" | "NONE";
            owner_tag: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        LimitExceededProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "limit_exceeded";
            /** @description Every window of every limit that stands against it. */
            violations: {
                product_key?: string;
                feature?: string;
                /**
                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                 * @enum {string}
                 */
                window: "hour" | "day" | "month" | "billing_period" | "total";
                /** @description What was used in the window before, in the subject’s unit. */
                current: number;
                requested: number;
                limit: number;
                /**
                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                 * @enum {string}
                 */
                enforcement: "HARD" | "SOFT" | "NONE";
                /** @description When the window ends; null of `total`. */
                resets_at: string | null;
            }[];
        };
        MalformedJsonProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "malformed_json";
            /** @description The line of the body, from 1. */
            line: number;
            /** @description The character of that line, from 1. */
            column: number;
        };
        Offer: {
            sku: string;
            name: string;
            description: string;
            image: string | null;
            price: string;
            currency: string;
            is_active: boolean;
            is_trial: boolean;
            trial_policy: {
                /**
                 * @default any
                 * @enum {string}
                 */
                scope: "any" | "offer";
            } | null;
            /** @description Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override. */
            trial_eligible: boolean | null;
            recurrence: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            plan_group: string | null;
            plan: components["schemas"]["PlanTerms"] | null;
            max_per_customer: number | null;
            items: {
                product_key: string;
                quantity: number;
                /** @enum {string} */
                period_unit: "hours" | "days" | "months" | "years" | "forever";
                period_value: number | null;
                priority: number;
                /** @enum {string} */
                stacking: "extend" | "parallel";
                product: components["schemas"]["Product"];
            }[];
            metadata: {
                [key: string]: unknown;
            };
        };
        OfferLimitReachedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "offer_limit_reached";
            used: number;
            limit: number;
        };
        Order: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            customer_id: string;
            /** @enum {string} */
            status: "pending" | "paid" | "partially_refunded" | "refunded" | "cancelled" | "expired";
            /**
             * Format: date-time
             * @description Until when a pending order can be paid.
             */
            expires_at: string;
            currency: string;
            total_amount: string;
            payment_method: string | null;
            payment_id: string | null;
            paid_at: string | null;
            cancelled_at: string | null;
            cancel_reason: string | null;
            refunded_amount: string;
            /** @description What disputes contest that are open or lost; they never change the status. */
            disputed_amount: string;
            items: {
                /** Format: uuid */
                id: string;
                sku: string;
                name: string;
                quantity: number;
                /** @description Of one, as it was when the order was made. */
                price: string;
                /** @description What the offer cost then, where another price was set; null where `price` is the offer’s. */
                list_price: string | null;
                /** @description Why another price was set. */
                price_reason: string | null;
            }[];
            /** @description What a paid order granted, and in what it went on: the first 200 batches. The others are in `GET /wallet/batches?order_id=`. */
            batches?: components["schemas"]["Batch"][];
            /** @description How many batches these are. */
            batches_total?: number;
            /** @description Of a paid order that is read by its id: oldest first. */
            refunds?: {
                /** Format: uuid */
                id: string;
                /** @enum {string} */
                status: "succeeded" | "failed";
                payment_method: string;
                /** @description The provider’s id; that of the refund here where none was told. */
                refund_id: string;
                /** @description The provider has told nothing of it yet. */
                pending_provider: boolean;
                dispute_id: string | null;
                amount: string;
                /** @description What of it is of each line; a quantity of 0 where an amount was refunded. */
                items: {
                    /** Format: uuid */
                    id: string;
                    quantity: number;
                    amount: string;
                }[];
                reason: string | null;
                /** @enum {string} */
                unrecovered_policy: "ignore" | "debt";
                /** Format: uuid */
                operation_id: string;
                /** Format: date-time */
                created_at: string;
                failed_at: string | null;
            }[];
            /** @description Of a paid order that is read by its id: oldest first. */
            disputes?: {
                /** Format: uuid */
                id: string;
                /** @enum {string} */
                status: "opened" | "won" | "lost";
                payment_method: string;
                dispute_id: string;
                amount: string;
                /** @enum {string} */
                unrecovered_policy: "ignore" | "debt";
                /** Format: uuid */
                operation_id: string;
                /** Format: date-time */
                created_at: string;
                closed_at: string | null;
            }[];
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
        };
        OrderNotCancellableProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "order_not_cancellable";
            order_status: string;
        };
        OrderNotPaidProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "order_not_paid";
            order_status: string;
        };
        OrderNotPayableProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "order_not_payable";
            order_status: string;
        };
        PaymentEvent: {
            /** Format: uuid */
            id: string;
            provider: string;
            /** @description What the provider calls it. */
            event_id: string;
            /** @description As the provider has it. */
            type: string;
            /**
             * @description What it tells, in the words of all providers.
             * @enum {string}
             */
            kind: "paid" | "failed" | "expired" | "cancelled" | "refunded" | "refund_failed" | "dispute_opened" | "dispute_won" | "dispute_lost" | "ignored" | "unreadable";
            /**
             * @description `waiting`: it is tried again by itself, at `next_at`. `applied`: it had its effect. `ignored`: it has none. `quarantined`: somebody has to look at it. `dismissed`: somebody did.
             * @enum {string}
             */
            status: "waiting" | "applied" | "ignored" | "quarantined" | "dismissed";
            /** @description A code for why it is not applied; null of what is. */
            reason: string | null;
            /** @description The same for people. */
            detail: string | null;
            /** @description The order that it is about, once that is known: of a further charge of a plan the one that it paid, which may be another than it names. */
            order_id: string | null;
            /** @description What it names as its order. */
            order_ref: string | null;
            /** @description What it names as its subscription, of which it pays the next period. */
            subscription_ref: string | null;
            payment_id: string | null;
            refund_id: string | null;
            dispute_id: string | null;
            amount: string | null;
            currency: string | null;
            /** @description When it happened, as the provider says. */
            occurred_at: string | null;
            /** Format: date-time */
            received_at: string;
            /** @description How often it was begun to apply it. */
            attempts: number;
            next_at: string | null;
            settled_at: string | null;
            /** @description What came in, without what is secret; null once it is blanked by age. */
            body: unknown;
            /** @description Those that are kept. */
            headers: {
                [key: string]: string;
            };
        };
        PaymentSource: {
            name: string;
            description: string;
            enabled: boolean;
            payment_method: string;
            signature: {
                scheme: string;
            } & {
                [key: string]: unknown;
            };
            mapping: {
                statuses: {
                    [key: string]: string;
                };
            } & {
                [key: string]: unknown;
            };
            /** @description Until when the secret before counts, too; null where there is none. */
            old_secret_until: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description How a plan goes on. */
        PlanTerms: {
            /** @description How long the plan is free at first, once for each person; null where it is not. */
            trial_period: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            /** @description How often a period allocates its units, such as each month of a yearly plan; null where once, at its beginning. All are there from the beginning of the period, each valid from its own instant; access is given once. Shorter than the recurrence, and of months a whole part of it. */
            grant_every: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            /**
             * @description What of the units that end with a period, or with an allocation of it, goes over into the next one: nothing, at most `rollover_cap` of each product, or all.
             * @enum {string}
             */
            rollover: "none" | "cap" | "all";
            rollover_cap: number | null;
            /** @description So many days behind the end of a period a payment still continues it. */
            grace_days: number;
            /** @description Whether access lasts through the days of grace. */
            grace_access: boolean;
        };
        /** @description Problem details (RFC 9457). Some codes add members of their own. */
        Problem: {
            /** Format: uri-reference */
            type: string;
            title: string;
            status: number;
            /** @description What went wrong this time, for people. */
            detail: string;
            /**
             * Format: uri
             * @description The id that this request has here and in the log, as `urn:uuid:<id>`. Also in the header `X-Request-Id`, unless the caller sent one of his own.
             */
            instance: string;
            /**
             * @description Stable; branch on this one.
             * @enum {string}
             */
            code: "invalid_request" | "invalid_catalog" | "malformed_json" | "malformed_url" | "mixed_currencies" | "address_refused" | "unauthenticated" | "invalid_signature" | "insufficient_quota" | "reservation_exceeded" | "forbidden" | "path_not_allowed" | "route_not_found" | "customer_not_found" | "product_not_found" | "feature_not_found" | "offer_not_found" | "identity_not_found" | "operation_not_found" | "reservation_not_found" | "dispute_not_found" | "batch_not_found" | "order_not_found" | "subscription_not_found" | "limit_not_found" | "endpoint_not_found" | "delivery_not_found" | "payment_provider_not_found" | "payment_event_not_found" | "payment_source_not_found" | "payment_event_closed" | "referral_program_not_found" | "too_many_referral_programs" | "reward_not_found" | "reward_not_held" | "too_many_payment_sources" | "checkout_unavailable" | "checkout_differs" | "provider_refused" | "endpoint_without_url" | "delivery_waiting" | "delivery_under_way" | "api_key_not_found" | "method_not_allowed" | "not_metered" | "product_metered" | "feature_metered" | "limit_source_refused" | "too_many_followers" | "too_many_limits" | "too_many_endpoints" | "clock_backwards" | "cursor_expired" | "selector_conflict" | "name_taken" | "name_reserved" | "product_in_use" | "product_inactive" | "offer_inactive" | "offer_exchange_only" | "offer_not_exchangeable" | "offer_not_plan" | "subscription_exists" | "subscription_incomplete" | "subscription_ended" | "subscription_unchanged" | "change_paid" | "plan_is_free" | "subscription_not_renewable" | "other_plan_group" | "offer_not_trial" | "trial_already_used" | "identity_taken" | "merge_with_itself" | "customer_merged" | "customer_erased" | "too_many_merged" | "self_referral" | "already_referred" | "referral_cycle" | "already_unlimited" | "quantity_too_large" | "too_many_batches" | "too_many_open_orders" | "order_already_paid" | "order_not_paid" | "refund_exceeds_paid" | "refund_id_required" | "refund_pending" | "refund_mismatch" | "dispute_mismatch" | "dispute_closed" | "offer_limit_reached" | "too_many_reports" | "order_not_cancellable" | "order_not_payable" | "payment_already_used" | "payment_mismatch" | "product_not_currency" | "reservation_closed" | "reservation_expired" | "reservation_too_long" | "not_reversible" | "release_exceeds_usage" | "api_key_ended" | "too_large" | "precondition_failed" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "limit_exceeded" | "rate_limited" | "internal_error" | "clock_skewed" | "overloaded" | "unavailable";
            /** @description The faulty places, where there are some. */
            errors?: components["schemas"]["FieldError"][];
        } & {
            [key: string]: unknown;
        };
        Product: {
            product_key: string;
            name: string;
            description: string;
            /**
             * @description `quantity` is counted and used up; `period` gives access for a time; `unlimited` gives access without counting.
             * @enum {string}
             */
            type: "quantity" | "period" | "unlimited" | "metered";
            is_currency: boolean;
            is_active: boolean;
            features: {
                feature: string;
                unit_cost: number;
            }[];
            low_balance_threshold: number | null;
            expiring_days: number | null;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
        };
        /** @description The offer as it stands now, and what is against selling it. */
        PutOffer: {
            sku: string;
            name: string;
            description: string;
            image: string | null;
            price: string;
            currency: string;
            is_active: boolean;
            is_trial: boolean;
            trial_policy: {
                /**
                 * @default any
                 * @enum {string}
                 */
                scope: "any" | "offer";
            } | null;
            /** @description Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override. */
            trial_eligible: boolean | null;
            recurrence: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            plan_group: string | null;
            plan: components["schemas"]["PlanTerms"] | null;
            max_per_customer: number | null;
            items: {
                product_key: string;
                quantity: number;
                /** @enum {string} */
                period_unit: "hours" | "days" | "months" | "years" | "forever";
                period_value: number | null;
                priority: number;
                /** @enum {string} */
                stacking: "extend" | "parallel";
                product: components["schemas"]["Product"];
            }[];
            metadata: {
                [key: string]: unknown;
            };
            /** @description Why it can’t be sold, or gives nothing, as it stands; empty when nothing is against it. */
            warnings: {
                /** @enum {string} */
                code: "no_items" | "no_price" | "free_without_limit" | "product_inactive" | "quantity_too_large";
                /** @description The place in the body. */
                pointer: string;
                message: string;
            }[];
        };
        QuotaEvent: {
            /** Format: uuid */
            id: string;
            /** @description Per customer, without gaps. */
            seq: number;
            /** @enum {string} */
            kind: "grant" | "consume" | "expire" | "revoke" | "hold" | "release" | "commit" | "reverse" | "debt" | "repay" | "forgive" | "adjust" | "transfer_out" | "transfer_in";
            /** @enum {string} */
            direction: "credit" | "debit" | "none";
            product_key: string;
            batch_id: string | null;
            amount: number;
            /** @description Of the product, after this entry: available minus owed, units that become valid later included; 0 when it is not counted. */
            balance_after: number;
            feature: string | null;
            /** @description Product units of one feature unit when the units moved; null when the product was asked for. */
            unit_cost: number | null;
            action_type: string | null;
            action_id: string | null;
            order_id: string | null;
            reservation_id: string | null;
            /** @description The entry of which this one gives something back. */
            reverses_seq: number | null;
            /** @description Null when it happened by itself, such as an expiry. */
            operation_id: string | null;
            /** @description Empty where an order granted it or a reservation lapsed: they have it. */
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            occurred_at: string;
            /** Format: uuid */
            customer_id: string;
            /** Format: date-time */
            recorded_at: string;
            /** @description How much it counts, in units of the feature that it names, else of the product; below 0 where units came back, and 0 of a `commit`, which counted when it was held. Null of entries from before it was recorded. */
            counted: number | null;
            /** @description In which windows it counts: those of this instant. */
            counted_at: string | null;
            /** @description The windows of limits that were looked at, on the last entry of a use. */
            checked_limits: {
                product_key?: string;
                feature?: string;
                /** @enum {string} */
                window: "hour" | "day" | "month" | "billing_period" | "total";
                /** Format: date-time */
                window_start: string;
                /** @description What was used in the window with it. */
                used_after: number;
                /** @description The limit that was in force then. */
                limit: number;
                /**
                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                 * @enum {string}
                 */
                enforcement: "HARD" | "SOFT" | "NONE";
            }[];
        };
        ReferralProgram: {
            key: string;
            description: string;
            /**
             * @description When rewards are earned: as soon as the referral is made, or by the first order above 0 that the referee pays.
             * @enum {string}
             */
            trigger: "on_attach" | "on_first_paid_order";
            referrer: {
                sku: string;
                quantity: number;
            } | null;
            referee: {
                sku: string;
                quantity: number;
            } | null;
            hold_days: number;
            max_rewards_per_referrer: number | null;
            from: string | null;
            until: string | null;
            claw_back: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        ReleaseExceedsUsageProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "release_exceeds_usage";
            requested: number;
            /** @description What can still be given back. */
            available: number;
        };
        Reservation: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            customer_id: string;
            product_key?: string;
            feature?: string;
            /** @description Held, in units of the product or the feature. */
            amount: number;
            /** @enum {string} */
            status: "held" | "committed" | "released" | "expired";
            committed_amount: number;
            /** Format: date-time */
            expires_at: string;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            /** @description What it holds of each batch, in product units and in the order of use. */
            legs: {
                /** Format: uuid */
                batch_id: string;
                product_key: string;
                amount: number;
            }[];
            metadata: {
                [key: string]: unknown;
            };
        };
        ReservationClosedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "reservation_closed";
            reservation_status: string;
        };
        ReservationExceededProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "reservation_exceeded";
            requested: number;
            held: number;
        };
        ReservationExpiredProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "reservation_expired";
            reservation_status: string;
        };
        Reward: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            referral_id: string;
            /** @enum {string} */
            side: "referrer" | "referee";
            /**
             * Format: uuid
             * @description Who gets it.
             */
            customer_id: string;
            /** Format: uuid */
            referrer_id: string;
            /** Format: uuid */
            referee_id: string;
            program_key: string;
            /** @description The order that earned it; null where attaching did. */
            order_id: string | null;
            sku: string;
            quantity: number;
            /**
             * @description `armed` waits for `due_at`, `held` for an operator or the end of a dispute (`hold_reason`), `clawing_back` is about to be taken back.
             * @enum {string}
             */
            status: "armed" | "held" | "granted" | "clawing_back" | "clawed_back" | "cancelled" | "refused";
            /** @description `dispute`, `shared_signal` (both sides share an identity of a trial, or a payment), or the code by which granting it was refused. */
            hold_reason: string | null;
            /** Format: date-time */
            due_at: string;
            granted_at: string | null;
            /** @description The operation that granted it. */
            operation_id: string | null;
            cancelled_at: string | null;
            /** @description `order_refunded`, `dispute_lost`, `cap_reached`, `customers_merged`, `customer_erased` or `refused`. */
            cancel_reason: string | null;
            clawed_back_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        Subscription: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            customer_id: string;
            sku: string;
            name: string;
            plan_group: string;
            /** @enum {string} */
            status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
            /** @description Of one period. */
            price: string;
            currency: string;
            /** @description Makes the offer a plan: the length of its period. */
            recurrence: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            };
            /** @description How often a period allocates units; null where once. */
            grant_every: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            /** @description When the next allocation of the present period begins. */
            allocates_at: string | null;
            period_starts_at: string | null;
            period_ends_at: string | null;
            cancels_at_period_end: boolean;
            /** @description What it changes to, and when. */
            change: {
                sku: string;
                /** @enum {string} */
                old_units: "carry" | "reset";
                /** @description The order that pays it; null where it takes effect at the end of the period. */
                order_id: string | null;
            } | null;
            /** @description The order that pays the first or the next period, if one was made. */
            order_id: string | null;
            /** @description When something becomes of it by itself: its renewal is ordered, its period turns, it ends. */
            next_turn_at: string | null;
            ended_at: string | null;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
        };
        SubscriptionEndedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "subscription_ended";
            subscription_status: string;
        };
        SubscriptionExistsProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "subscription_exists";
            /** @description The subscription that it is about. */
            subscription_id: string;
        };
        SubscriptionInFull: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            customer_id: string;
            sku: string;
            name: string;
            plan_group: string;
            /** @enum {string} */
            status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
            /** @description Of one period. */
            price: string;
            currency: string;
            /** @description Makes the offer a plan: the length of its period. */
            recurrence: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            };
            /** @description How often a period allocates units; null where once. */
            grant_every: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            /** @description When the next allocation of the present period begins. */
            allocates_at: string | null;
            period_starts_at: string | null;
            period_ends_at: string | null;
            cancels_at_period_end: boolean;
            /** @description What it changes to, and when. */
            change: {
                sku: string;
                /** @enum {string} */
                old_units: "carry" | "reset";
                /** @description The order that pays it; null where it takes effect at the end of the period. */
                order_id: string | null;
            } | null;
            /** @description The order that pays the first or the next period, if one was made. */
            order_id: string | null;
            /** @description When something becomes of it by itself: its renewal is ordered, its period turns, it ends. */
            next_turn_at: string | null;
            ended_at: string | null;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** @description The last 200, newest first. */
            periods: {
                sku: string;
                /**
                 * @description `skipped`: it was over, with all that it would have given, when it was looked at; or more could not have been counted.
                 * @enum {string}
                 */
                kind: "trial" | "free" | "paid" | "skipped";
                /** Format: date-time */
                starts_at: string;
                /** Format: date-time */
                ends_at: string;
                /** @description How many periods; more than one only of what was skipped. */
                count: number;
                /** @description Units by product; 1 for access. */
                granted: {
                    [key: string]: number;
                };
                order_id: string | null;
                /** Format: uuid */
                operation_id: string;
                /** @description When a refund or a dispute ended it before its end. */
                ended_at: string | null;
            }[];
            /** @description What became of it: the last 200, newest first. Each is an event. */
            steps: {
                kind: string;
                /** Format: date-time */
                occurred_at: string;
                /** Format: date-time */
                recorded_at: string;
                /** Format: uuid */
                operation_id: string;
            }[];
        };
        SubscriptionIncompleteProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "subscription_incomplete";
            /** @description The subscription that it is about. */
            subscription_id: string;
        };
        /** @description The subscription as it is now, and what is to be paid. */
        SubscriptionResult: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            customer_id: string;
            sku: string;
            name: string;
            plan_group: string;
            /** @enum {string} */
            status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
            /** @description Of one period. */
            price: string;
            currency: string;
            /** @description Makes the offer a plan: the length of its period. */
            recurrence: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            };
            /** @description How often a period allocates units; null where once. */
            grant_every: {
                /** @enum {string} */
                unit: "hours" | "days" | "weeks" | "months" | "years";
                count: number;
            } | null;
            /** @description When the next allocation of the present period begins. */
            allocates_at: string | null;
            period_starts_at: string | null;
            period_ends_at: string | null;
            cancels_at_period_end: boolean;
            /** @description What it changes to, and when. */
            change: {
                sku: string;
                /** @enum {string} */
                old_units: "carry" | "reset";
                /** @description The order that pays it; null where it takes effect at the end of the period. */
                order_id: string | null;
            } | null;
            /** @description The order that pays the first or the next period, if one was made. */
            order_id: string | null;
            /** @description When something becomes of it by itself: its renewal is ordered, its period turns, it ends. */
            next_turn_at: string | null;
            ended_at: string | null;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** @description The order to pay, where there is one: confirm it by its id. */
            order: components["schemas"]["Order"] | null;
        };
        TrialAlreadyUsedProblem: components["schemas"]["Problem"] & {
            /** @enum {string} */
            code: "trial_already_used";
            /** @description The kind of identity that had a trial. */
            identity_type: string;
        };
        /** @description A refusal, asked for as a verdict; with the members that the problem of its code has. */
        Verdict: {
            /** @constant */
            allowed: false;
            /**
             * @description Stable; branch on this one.
             * @enum {string}
             */
            code: "invalid_request" | "invalid_catalog" | "malformed_json" | "malformed_url" | "mixed_currencies" | "address_refused" | "unauthenticated" | "invalid_signature" | "insufficient_quota" | "reservation_exceeded" | "forbidden" | "path_not_allowed" | "route_not_found" | "customer_not_found" | "product_not_found" | "feature_not_found" | "offer_not_found" | "identity_not_found" | "operation_not_found" | "reservation_not_found" | "dispute_not_found" | "batch_not_found" | "order_not_found" | "subscription_not_found" | "limit_not_found" | "endpoint_not_found" | "delivery_not_found" | "payment_provider_not_found" | "payment_event_not_found" | "payment_source_not_found" | "payment_event_closed" | "referral_program_not_found" | "too_many_referral_programs" | "reward_not_found" | "reward_not_held" | "too_many_payment_sources" | "checkout_unavailable" | "checkout_differs" | "provider_refused" | "endpoint_without_url" | "delivery_waiting" | "delivery_under_way" | "api_key_not_found" | "method_not_allowed" | "not_metered" | "product_metered" | "feature_metered" | "limit_source_refused" | "too_many_followers" | "too_many_limits" | "too_many_endpoints" | "clock_backwards" | "cursor_expired" | "selector_conflict" | "name_taken" | "name_reserved" | "product_in_use" | "product_inactive" | "offer_inactive" | "offer_exchange_only" | "offer_not_exchangeable" | "offer_not_plan" | "subscription_exists" | "subscription_incomplete" | "subscription_ended" | "subscription_unchanged" | "change_paid" | "plan_is_free" | "subscription_not_renewable" | "other_plan_group" | "offer_not_trial" | "trial_already_used" | "identity_taken" | "merge_with_itself" | "customer_merged" | "customer_erased" | "too_many_merged" | "self_referral" | "already_referred" | "referral_cycle" | "already_unlimited" | "quantity_too_large" | "too_many_batches" | "too_many_open_orders" | "order_already_paid" | "order_not_paid" | "refund_exceeds_paid" | "refund_id_required" | "refund_pending" | "refund_mismatch" | "dispute_mismatch" | "dispute_closed" | "offer_limit_reached" | "too_many_reports" | "order_not_cancellable" | "order_not_payable" | "payment_already_used" | "payment_mismatch" | "product_not_currency" | "reservation_closed" | "reservation_expired" | "reservation_too_long" | "not_reversible" | "release_exceeds_usage" | "api_key_ended" | "too_large" | "precondition_failed" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "limit_exceeded" | "rate_limited" | "internal_error" | "clock_skewed" | "overloaded" | "unavailable";
            title: string;
            detail: string;
        } & {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                    };
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "late_jobs": [],
                     *       "oldest_transaction": null,
                     *       "replica": null
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description Degraded: requests are served, but something is late.
                         * @enum {string}
                         */
                        status: "ok" | "degraded";
                        /** @description Jobs whose oldest due work is older than it should be. Null when that could not be seen. */
                        late_jobs: {
                            name: string;
                            lag_s: number;
                        }[] | null;
                        /** @description The transaction for whose end the feed of events waits: its process in Postgres (null: it is prepared), and since when it runs. */
                        oldest_transaction: {
                            pid: number | null;
                            lasts_s: number;
                        } | null;
                        /** @description The standby that answers reads which may lag; null when there is none, or nobody looked. While it is not ok the primary answers them. */
                        replica: {
                            /** @enum {string} */
                            status: "ok" | "lagging" | "lost" | "unfit";
                            lag_s: number;
                        } | null;
                    };
                };
            };
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": "1.4.0",
                     *       "commit": "5f1d7a84db00d2fce00b31a7fc73224961c5fe8a",
                     *       "node": "24.11.1"
                     *     }
                     */
                    "application/json": {
                        version: string;
                        /** @description The commit that it was built of; null when that is not known. */
                        commit: string | null;
                        /** @description The version of Node that runs it. */
                        node: string;
                    };
                };
            };
        };
    };
    identify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Where the external id comes from; lower-cased.
                     * @default default
                     */
                    provider?: string;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id: string | number;
                    /** @description What the provider knows of the person; merged into the known profile. */
                    profile?: {
                        [key: string]: unknown;
                    } | null;
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        /** Format: uuid */
                        identity_id: string;
                        provider: string;
                        external_id: string;
                        /** @description Whether this call created the customer. */
                        created_customer: boolean;
                        /** @description Whether this call created the identity. */
                        created_identity: boolean;
                        /** @description Whether no trial was granted to this customer yet. */
                        trial_eligible: boolean;
                        /** @description The merged profile of the identity. */
                        metadata: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    listCustomers: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                provider?: string;
                /** @description Only the customer behind this identity. */
                external_id?: string | number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `id`. */
                        data: components["schemas"]["Customer"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    getCustomer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
        };
    };
    eraseCustomer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CustomerErasure"];
                };
            };
        };
    };
    updateCustomer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Replaces the customer’s metadata. */
                    metadata: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
        };
    };
    linkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Where the external id comes from; lower-cased.
                     * @default default
                     */
                    provider?: string;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id: string | number;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    profile?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        identity_id: string;
                        provider: string;
                        external_id: string;
                        profile: {
                            [key: string]: unknown;
                        };
                        /** Format: uuid */
                        customer_id: string;
                        created: boolean;
                    } | components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        identity_id: string;
                        provider: string;
                        external_id: string;
                        profile: {
                            [key: string]: unknown;
                        };
                        /** Format: uuid */
                        customer_id: string;
                        created: boolean;
                    };
                };
            };
        };
    };
    unlinkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
                /** @description Where the external id comes from; lower-cased. */
                provider: string;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id: string | number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    mergeCustomers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * Format: uuid
                     * @description Who stays.
                     */
                    target_customer_id: string;
                    /**
                     * Format: uuid
                     * @description Whose things move, and whose id leads to the target from then on.
                     */
                    source_customer_id: string;
                    /**
                     * @description Whether it is only told what would move.
                     * @default false
                     */
                    dry_run?: boolean;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CustomerMerge"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    exportCustomer: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description By section, in an order that does not change. */
                        data: {
                            /** @description What kind of thing it is. */
                            section: string;
                            /**
                             * Format: uuid
                             * @description Whose it is: the customer, or one that was merged into it.
                             */
                            customer_id: string;
                            /** @description It, as it is held. */
                            record: {
                                [key: string]: unknown;
                            };
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listOffers: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Whether those that are not active are listed too. */
                include_inactive?: boolean;
                /** @description Only these, in this order: repeatable, or with commas between them, or as `sku[0]=`. Unknown ones are left out, and inactive ones unless asked for. */
                sku?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description By `sku`; with the parameter `sku` in the order asked for. */
                        data: components["schemas"]["Offer"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    getOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offer"];
                };
            };
        };
    };
    exportCatalog: {
        parameters: {
            query?: {
                /** @description One document, or a table. */
                format?: "json" | "csv";
                /** @description Of CSV: which table; `offers` when left out. */
                of?: "products" | "offers";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        products: components["schemas"]["Product"][];
                        offers: {
                            sku: string;
                            name: string;
                            description: string;
                            image: string | null;
                            price: string;
                            currency: string;
                            is_active: boolean;
                            is_trial: boolean;
                            trial_policy: {
                                /**
                                 * @default any
                                 * @enum {string}
                                 */
                                scope: "any" | "offer";
                            } | null;
                            /** @description Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override. */
                            trial_eligible: boolean | null;
                            recurrence: {
                                /** @enum {string} */
                                unit: "hours" | "days" | "weeks" | "months" | "years";
                                count: number;
                            } | null;
                            plan_group: string | null;
                            plan: components["schemas"]["PlanTerms"] | null;
                            max_per_customer: number | null;
                            items: {
                                product_key: string;
                                quantity: number;
                                /** @enum {string} */
                                period_unit: "hours" | "days" | "months" | "years" | "forever";
                                period_value: number | null;
                                priority: number;
                                /** @enum {string} */
                                stacking: "extend" | "parallel";
                            }[];
                            metadata: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            created_at: string;
                        }[];
                    };
                };
            };
        };
    };
    listProducts: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Whether those that are not active are listed too. */
                include_inactive?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description By `product_key`. */
                        data: components["schemas"]["Product"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    getProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    putProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description May be repeated here; must equal the path. */
                    product_key?: string;
                    name: string;
                    /** @default  */
                    description?: string;
                    /**
                     * @description `quantity` is counted and used up; `period` gives access for a time; `unlimited` gives access without counting.
                     * @enum {string}
                     */
                    type: "quantity" | "period" | "unlimited" | "metered";
                    /**
                     * @description Whether offers may be priced in this product.
                     * @default false
                     */
                    is_currency?: boolean;
                    /**
                     * @description An inactive product is neither sold nor granted; units already held stay spendable.
                     * @default true
                     */
                    is_active?: boolean;
                    features?: (string | {
                        feature: string;
                        /** @default 1 */
                        unit_cost?: number;
                    })[];
                    /** @default null */
                    low_balance_threshold?: number | null;
                    /**
                     * @description So many days before a batch ends `batch.expiring` is told; of batches that are made from now on.
                     * @default null
                     */
                    expiring_days?: number | null;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description Allows to raise a unit cost or remove a feature while customers hold units.
                     * @default false
                     */
                    force?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    retireProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    getAnyOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offer"];
                };
            };
        };
    };
    putOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description May be repeated here; must equal the path. */
                    sku?: string;
                    name: string;
                    /** @default  */
                    description?: string;
                    /**
                     * @description A URL.
                     * @default null
                     */
                    image?: string | null;
                    price: string;
                    /** @description A currency code, XTR, or the key of a currency product. */
                    currency: string;
                    /** @default true */
                    is_active?: boolean;
                    /** @default false */
                    is_trial?: boolean;
                    /** @default null */
                    trial_policy?: {
                        /**
                         * @default any
                         * @enum {string}
                         */
                        scope?: "any" | "offer";
                    } | null;
                    /**
                     * @description Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override.
                     * @default null
                     */
                    trial_eligible?: boolean | null;
                    /** @default null */
                    recurrence?: {
                        /** @enum {string} */
                        unit: "hours" | "days" | "weeks" | "months" | "years";
                        count: number;
                    } | null;
                    /** @description Of a plan: customers have one subscription per group; `default` when left out. */
                    plan_group?: string | null;
                    /** @default null */
                    plan?: {
                        /**
                         * @description How long the plan is free at first, once for each person; null where it is not.
                         * @default null
                         */
                        trial_period?: {
                            /** @enum {string} */
                            unit: "hours" | "days" | "weeks" | "months" | "years";
                            count: number;
                        } | null;
                        /**
                         * @description How often a period allocates its units, such as each month of a yearly plan; null where once, at its beginning. All are there from the beginning of the period, each valid from its own instant; access is given once. Shorter than the recurrence, and of months a whole part of it.
                         * @default null
                         */
                        grant_every?: {
                            /** @enum {string} */
                            unit: "hours" | "days" | "weeks" | "months" | "years";
                            count: number;
                        } | null;
                        /**
                         * @description What of the units that end with a period, or with an allocation of it, goes over into the next one: nothing, at most `rollover_cap` of each product, or all.
                         * @default none
                         * @enum {string}
                         */
                        rollover?: "none" | "cap" | "all";
                        /**
                         * @description Of `cap` alone.
                         * @default null
                         */
                        rollover_cap?: number | null;
                        /**
                         * @description So many days behind the end of a period a payment still continues it.
                         * @default 0
                         */
                        grace_days?: number;
                        /**
                         * @description Whether access lasts through the days of grace.
                         * @default false
                         */
                        grace_access?: boolean;
                    } | null;
                    /**
                     * @description How many of it a customer may have, each of its quantity one; null for any number. Orders that wait for a payment count, refunded and cancelled ones do not.
                     * @default null
                     */
                    max_per_customer?: number | null;
                    /** @default [] */
                    items?: {
                        product_key: string;
                        /** @default 1 */
                        quantity?: number;
                        /**
                         * @description The unit of the validity; `forever` has no value.
                         * @default forever
                         * @enum {string}
                         */
                        period_unit?: "hours" | "days" | "months" | "years" | "forever";
                        /** @default null */
                        period_value?: number | null;
                        /**
                         * @description Batches of lower priority are used first.
                         * @default 0
                         */
                        priority?: number;
                        /**
                         * @description Whether new access begins when the present one ends, or at once. Access extends by default.
                         * @enum {string}
                         */
                        stacking?: "extend" | "parallel";
                    }[];
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PutOffer"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PutOffer"];
                };
            };
        };
    };
    retireOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offer"];
                };
            };
        };
    };
    listOrders: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only of this charge of the provider. */
                payment_id?: string | number;
                /** @description Only of this method. */
                payment_method?: string;
                /** @description Only orders of this status, as it is now. */
                status?: "pending" | "paid" | "partially_refunded" | "refunded" | "cancelled" | "expired";
                /** @description Only orders with a line of this SKU. */
                sku?: string;
                /** @description Made at this instant or later. */
                from?: string;
                /** @description Made before this instant. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, without what they granted. */
                        data: components["schemas"]["Order"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    placeOrder: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description All of them come to 1,000 batches at most: each is as many as its offer has items. */
                    items: {
                        sku: string;
                        /**
                         * @description Multiplies counted units, and the length of access.
                         * @default 1
                         */
                        quantity?: number | string;
                        /** @description Of one, in place of the offer’s: needs the scope `prices`, and a `price_reason`. In the offer’s currency. */
                        price?: string;
                        /** @description Why the price is another than the offer’s. */
                        price_reason?: string;
                    }[];
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /** @description Seconds until the order can no longer be paid; 24 hours when left out. */
                    expires_in?: number | string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    getOrder: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path: {
                /** @description The `id` that `placeOrder` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    confirmOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `placeOrder` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description The provider’s id of the charge, compared exactly; an integer is read as its digits. Required when the total is above 0. */
                    payment_id?: (string | number) | null;
                    /**
                     * @description Lower-cased; a payment id is unique within its method.
                     * @default provider_payments
                     */
                    payment_method?: string;
                    /**
                     * @default paid
                     * @enum {string}
                     */
                    status?: "paid" | "failed";
                    /** @description What was paid; must equal the order’s total. */
                    amount?: string | null;
                    /** @description Must equal the order’s currency. */
                    currency?: string | null;
                    /** @description By what the provider knows the card or account that paid. Kept as a keyed hash: a referral whose sides share one waits for an operator. */
                    payment_fingerprint?: string | null;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `placeOrder` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description Why, for whoever looks at the order. */
                    reason?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listPayments: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only of this charge of the provider. */
                payment_id?: string | number;
                /** @description Only of this method. */
                payment_method?: string;
                /** @description Only payments of this status. */
                status?: "failed" | "unmatched" | "paid";
                /** @description Only what was told of this order last. */
                order_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by when they were first told. */
                        data: {
                            payment_method: string;
                            payment_id: string;
                            /**
                             * @description `unmatched`: it was received and paid nothing, because the order was paid, ended, or of another amount.
                             * @enum {string}
                             */
                            status: "failed" | "unmatched" | "paid";
                            /**
                             * Format: uuid
                             * @description The order of which it was told last.
                             */
                            order_id: string;
                            /** Format: uuid */
                            customer_id: string;
                            /** @description Null when nobody told. */
                            amount: string | null;
                            currency: string | null;
                            operation_id: string | null;
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            updated_at: string;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    refundOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `placeOrder` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description The lines to refund; with neither `items` nor `amount` all that is left is refunded. */
                    items?: {
                        /**
                         * Format: uuid
                         * @description The id of the line, as the order shows it.
                         */
                        id: string;
                        /** @description All that is left of it when left out. */
                        quantity?: number | string;
                    }[];
                    /** @description An amount in place of lines: it is spread over them by what is left of each. */
                    amount?: string;
                    /** @description The provider’s id of the refund: told again under it, the first answer comes again. */
                    refund_id?: string | number;
                    /**
                     * @description The provider was asked for it and has told no id yet: the first refund of this order and amount that it tells is this one. Of a provider that tells its refunds here either this or `refund_id` is required.
                     * @default false
                     */
                    pending_provider?: boolean;
                    /** @description Lower-cased; that of the order when left out. */
                    payment_method?: string;
                    /** @description The dispute within which it is refunded: what that took is not taken again. */
                    dispute_id?: string | number;
                    /**
                     * @description `failed`: a refund that was told before, under this `refund_id`, failed after all, and what it took comes back.
                     * @default succeeded
                     * @enum {string}
                     */
                    status?: "succeeded" | "failed";
                    /**
                     * @description What becomes of units that are not there any more: nothing, or they are owed.
                     * @default ignore
                     * @enum {string}
                     */
                    unrecovered_policy?: "ignore" | "debt";
                    /** @description Why, for whoever looks at it. */
                    reason?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        /** @enum {string} */
                        status: "pending" | "paid" | "partially_refunded" | "refunded" | "cancelled" | "expired";
                        /**
                         * Format: date-time
                         * @description Until when a pending order can be paid.
                         */
                        expires_at: string;
                        currency: string;
                        total_amount: string;
                        payment_method: string | null;
                        payment_id: string | null;
                        paid_at: string | null;
                        cancelled_at: string | null;
                        cancel_reason: string | null;
                        refunded_amount: string;
                        /** @description What disputes contest that are open or lost; they never change the status. */
                        disputed_amount: string;
                        items: {
                            /** Format: uuid */
                            id: string;
                            sku: string;
                            name: string;
                            quantity: number;
                            /** @description Of one, as it was when the order was made. */
                            price: string;
                            /** @description What the offer cost then, where another price was set; null where `price` is the offer’s. */
                            list_price: string | null;
                            /** @description Why another price was set. */
                            price_reason: string | null;
                        }[];
                        /** @description What a paid order granted, and in what it went on: the first 200 batches. The others are in `GET /wallet/batches?order_id=`. */
                        batches?: components["schemas"]["Batch"][];
                        /** @description How many batches these are. */
                        batches_total?: number;
                        /** @description Of a paid order that is read by its id: oldest first. */
                        refunds?: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "succeeded" | "failed";
                            payment_method: string;
                            /** @description The provider’s id; that of the refund here where none was told. */
                            refund_id: string;
                            /** @description The provider has told nothing of it yet. */
                            pending_provider: boolean;
                            dispute_id: string | null;
                            amount: string;
                            /** @description What of it is of each line; a quantity of 0 where an amount was refunded. */
                            items: {
                                /** Format: uuid */
                                id: string;
                                quantity: number;
                                amount: string;
                            }[];
                            reason: string | null;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            failed_at: string | null;
                        }[];
                        /** @description Of a paid order that is read by its id: oldest first. */
                        disputes?: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "opened" | "won" | "lost";
                            payment_method: string;
                            dispute_id: string;
                            amount: string;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            closed_at: string | null;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** Format: date-time */
                        created_at: string;
                        refund: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "succeeded" | "failed";
                            payment_method: string;
                            /** @description The provider’s id; that of the refund here where none was told. */
                            refund_id: string;
                            /** @description The provider has told nothing of it yet. */
                            pending_provider: boolean;
                            dispute_id: string | null;
                            amount: string;
                            /** @description What of it is of each line; a quantity of 0 where an amount was refunded. */
                            items: {
                                /** Format: uuid */
                                id: string;
                                quantity: number;
                                amount: string;
                            }[];
                            reason: string | null;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            failed_at: string | null;
                            /** @description Units that were taken back, by product. */
                            recovered: {
                                [key: string]: number;
                            };
                            /** @description Units that were not there any more, those that are held included, by product. */
                            unrecovered: {
                                [key: string]: number;
                            };
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    disputeOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `placeOrder` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description The provider’s id of the dispute. */
                    dispute_id: string | number;
                    /**
                     * @description `won` and `lost` are said of the seller.
                     * @enum {string}
                     */
                    status: "opened" | "won" | "lost";
                    /** @description What is contested; the order’s total when left out. */
                    amount?: string;
                    /** @description Lower-cased; that of the order when left out. */
                    payment_method?: string;
                    /**
                     * @description What becomes of units that are not there any more: nothing, or they are owed.
                     * @default ignore
                     * @enum {string}
                     */
                    unrecovered_policy?: "ignore" | "debt";
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        /** @enum {string} */
                        status: "pending" | "paid" | "partially_refunded" | "refunded" | "cancelled" | "expired";
                        /**
                         * Format: date-time
                         * @description Until when a pending order can be paid.
                         */
                        expires_at: string;
                        currency: string;
                        total_amount: string;
                        payment_method: string | null;
                        payment_id: string | null;
                        paid_at: string | null;
                        cancelled_at: string | null;
                        cancel_reason: string | null;
                        refunded_amount: string;
                        /** @description What disputes contest that are open or lost; they never change the status. */
                        disputed_amount: string;
                        items: {
                            /** Format: uuid */
                            id: string;
                            sku: string;
                            name: string;
                            quantity: number;
                            /** @description Of one, as it was when the order was made. */
                            price: string;
                            /** @description What the offer cost then, where another price was set; null where `price` is the offer’s. */
                            list_price: string | null;
                            /** @description Why another price was set. */
                            price_reason: string | null;
                        }[];
                        /** @description What a paid order granted, and in what it went on: the first 200 batches. The others are in `GET /wallet/batches?order_id=`. */
                        batches?: components["schemas"]["Batch"][];
                        /** @description How many batches these are. */
                        batches_total?: number;
                        /** @description Of a paid order that is read by its id: oldest first. */
                        refunds?: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "succeeded" | "failed";
                            payment_method: string;
                            /** @description The provider’s id; that of the refund here where none was told. */
                            refund_id: string;
                            /** @description The provider has told nothing of it yet. */
                            pending_provider: boolean;
                            dispute_id: string | null;
                            amount: string;
                            /** @description What of it is of each line; a quantity of 0 where an amount was refunded. */
                            items: {
                                /** Format: uuid */
                                id: string;
                                quantity: number;
                                amount: string;
                            }[];
                            reason: string | null;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            failed_at: string | null;
                        }[];
                        /** @description Of a paid order that is read by its id: oldest first. */
                        disputes?: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "opened" | "won" | "lost";
                            payment_method: string;
                            dispute_id: string;
                            amount: string;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            closed_at: string | null;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** Format: date-time */
                        created_at: string;
                        dispute: {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            status: "opened" | "won" | "lost";
                            payment_method: string;
                            dispute_id: string;
                            amount: string;
                            /** @enum {string} */
                            unrecovered_policy: "ignore" | "debt";
                            /** Format: uuid */
                            operation_id: string;
                            /** Format: date-time */
                            created_at: string;
                            closed_at: string | null;
                            /** @description Units that were taken back, by product. */
                            recovered: {
                                [key: string]: number;
                            };
                            /** @description Units that were not there any more, those that are held included, by product. */
                            unrecovered: {
                                [key: string]: number;
                            };
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    checkoutOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * Format: uri
                     * @description Where the browser goes once it is paid.
                     */
                    success_url: string;
                    /**
                     * Format: uri
                     * @description Where it goes when somebody thinks better of it.
                     */
                    cancel_url?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The Checkout Session. */
                        id: string;
                        /** @description Where the browser is to be sent. */
                        url: string;
                        /** @description Until when it can be paid there. */
                        expires_at: string | null;
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listPaymentEvents: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only events of this status. */
                status?: "waiting" | "applied" | "ignored" | "quarantined" | "dismissed";
                /** @description Only of this provider; of a source of payments it is `generic/` and its name. */
                provider?: string;
                /** @description Only events that tell this. */
                kind?: "paid" | "failed" | "expired" | "cancelled" | "refunded" | "refund_failed" | "dispute_opened" | "dispute_won" | "dispute_lost" | "ignored" | "unreadable";
                /** @description Only events about this order. */
                order_id?: string;
                /** @description Only events of this charge. */
                payment_id?: string | number;
                /** @description Only the event that the provider calls so. */
                event_id?: string | number;
                /** @description Received at this instant or later. */
                from?: string;
                /** @description Received before this instant. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first. */
                        data: {
                            /** Format: uuid */
                            id: string;
                            provider: string;
                            /** @description What the provider calls it. */
                            event_id: string;
                            /** @description As the provider has it. */
                            type: string;
                            /**
                             * @description What it tells, in the words of all providers.
                             * @enum {string}
                             */
                            kind: "paid" | "failed" | "expired" | "cancelled" | "refunded" | "refund_failed" | "dispute_opened" | "dispute_won" | "dispute_lost" | "ignored" | "unreadable";
                            /**
                             * @description `waiting`: it is tried again by itself, at `next_at`. `applied`: it had its effect. `ignored`: it has none. `quarantined`: somebody has to look at it. `dismissed`: somebody did.
                             * @enum {string}
                             */
                            status: "waiting" | "applied" | "ignored" | "quarantined" | "dismissed";
                            /** @description A code for why it is not applied; null of what is. */
                            reason: string | null;
                            /** @description The same for people. */
                            detail: string | null;
                            /** @description The order that it is about, once that is known: of a further charge of a plan the one that it paid, which may be another than it names. */
                            order_id: string | null;
                            /** @description What it names as its order. */
                            order_ref: string | null;
                            /** @description What it names as its subscription, of which it pays the next period. */
                            subscription_ref: string | null;
                            payment_id: string | null;
                            refund_id: string | null;
                            dispute_id: string | null;
                            amount: string | null;
                            currency: string | null;
                            /** @description When it happened, as the provider says. */
                            occurred_at: string | null;
                            /** Format: date-time */
                            received_at: string;
                            /** @description How often it was begun to apply it. */
                            attempts: number;
                            next_at: string | null;
                            settled_at: string | null;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    getPaymentEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentEvent"];
                };
            };
        };
    };
    replayPaymentEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentEvent"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    dismissPaymentEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Why it is to have no effect. */
                    reason: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentEvent"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listPaymentSources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description All of them, by name. */
                        data: {
                            name: string;
                            description: string;
                            enabled: boolean;
                            payment_method: string;
                            signature: {
                                scheme: string;
                            } & {
                                [key: string]: unknown;
                            };
                            mapping: {
                                statuses: {
                                    [key: string]: string;
                                };
                            } & {
                                [key: string]: unknown;
                            };
                            /** @description Until when the secret before counts, too; null where there is none. */
                            old_secret_until: string | null;
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            updated_at: string;
                        }[];
                    };
                };
            };
        };
    };
    getPaymentSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `name` that `putPaymentSource` answered. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentSource"];
                };
            };
        };
    };
    putPaymentSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Yours to choose. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default  */
                    description?: string;
                    /**
                     * @description One that is not is 404 for whoever sends.
                     * @default true
                     */
                    enabled?: boolean;
                    /** @description Under which its charges are payments; its name when left out. */
                    payment_method?: string;
                    /** @description How bodies are signed: by Standard Webhooks, or by HMAC-SHA-256 over their bytes. */
                    signature: {
                        /** @enum {string} */
                        scheme: "standard_webhooks";
                    } | {
                        /** @enum {string} */
                        scheme: "hmac_sha256";
                        /** @description The header that has the signature. */
                        header: string;
                        /**
                         * @default hex
                         * @enum {string}
                         */
                        encoding?: "hex" | "base64";
                        /**
                         * @description What stands before it.
                         * @default
                         */
                        prefix?: string;
                    };
                    /** @description What it signs with; the one before counts for 24 hours more. The present one is kept when left out, and drawn for a new source. For Standard Webhooks `whsec_` and the base64 of 24 to 64 bytes. */
                    secret?: string;
                    /** @description Where things are in a body, as JSON pointers. */
                    mapping: {
                        /** @default null */
                        event_id?: string | null;
                        /** @default null */
                        type?: string | null;
                        /** @default null */
                        order_id?: string | null;
                        /** @default null */
                        subscription_id?: string | null;
                        /** @description The id of the charge. */
                        payment_id: string;
                        /** @default null */
                        refund_id?: string | null;
                        /** @default null */
                        dispute_id?: string | null;
                        /** @description What was charged, or given back. */
                        amount: string;
                        /**
                         * @description `major`: 9.99. `minor`: 999, in the smallest units of ISO 4217.
                         * @default major
                         * @enum {string}
                         */
                        amount_unit?: "major" | "minor";
                        /** @description A pointer to the code, or the code of the only currency. */
                        currency: string;
                        /** @description What happened. */
                        status: string;
                        /** @description What each status means; any other is ignored. */
                        statuses: {
                            [key: string]: "paid" | "failed" | "expired" | "cancelled" | "refunded" | "refund_failed" | "dispute_opened" | "dispute_won" | "dispute_lost" | "ignored";
                        };
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        description: string;
                        enabled: boolean;
                        payment_method: string;
                        signature: {
                            scheme: string;
                        } & {
                            [key: string]: unknown;
                        };
                        mapping: {
                            statuses: {
                                [key: string]: string;
                            };
                        } & {
                            [key: string]: unknown;
                        };
                        /** @description Until when the secret before counts, too; null where there is none. */
                        old_secret_until: string | null;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        updated_at: string;
                        /** @description What it signs with. Told by every PUT, and nowhere else. */
                        secret: string;
                    };
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        description: string;
                        enabled: boolean;
                        payment_method: string;
                        signature: {
                            scheme: string;
                        } & {
                            [key: string]: unknown;
                        };
                        mapping: {
                            statuses: {
                                [key: string]: string;
                            };
                        } & {
                            [key: string]: unknown;
                        };
                        /** @description Until when the secret before counts, too; null where there is none. */
                        old_secret_until: string | null;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        updated_at: string;
                        /** @description What it signs with. Told by every PUT, and nowhere else. */
                        secret: string;
                    };
                };
            };
        };
    };
    deletePaymentSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `name` that `putPaymentSource` answered. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    tryPaymentSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `name` that `putPaymentSource` answered. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description A body as the source would send it: its text, or its JSON. */
                    body: string | {
                        [key: string]: unknown;
                    } | unknown[];
                    /**
                     * @description Headers beside it. A signature is not looked at.
                     * @default {}
                     */
                    headers?: {
                        [key: string]: string;
                    };
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        event_id: string;
                        type: string;
                        /** @enum {string} */
                        kind: "paid" | "failed" | "expired" | "cancelled" | "refunded" | "refund_failed" | "dispute_opened" | "dispute_won" | "dispute_lost" | "ignored" | "unreadable";
                        order_ref: string | null;
                        /** @description The order here that it names, whether or not there is one. */
                        order_id: string | null;
                        subscription_ref: string | null;
                        payment_id: string | null;
                        refund_id: string | null;
                        dispute_id: string | null;
                        amount: string | null;
                        currency: string | null;
                    };
                };
            };
        };
    };
    listGrants: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `operation_id`; the batches of each by `id`. */
                        data: {
                            /** Format: uuid */
                            operation_id: string;
                            /** @enum {string} */
                            grant_type: "trial" | "bonus" | "adjustment" | "migration";
                            products: string[];
                            batches: components["schemas"]["Batch"][];
                            /** Format: date-time */
                            created_at: string;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    grant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @enum {string} */
                    grant_type: "trial" | "bonus" | "adjustment" | "migration";
                    /** @description Grants what this offer gives. A trial without it grants every active trial offer. */
                    sku?: string;
                    /** @description Grants units of one product; not for trials. */
                    product_key?: string;
                    /**
                     * @description How often the offer, or how many units.
                     * @default 1
                     */
                    quantity?: number | string;
                    /**
                     * @description Of an adjustment: `debit` takes units away.
                     * @default credit
                     * @enum {string}
                     */
                    direction?: "credit" | "debit";
                    /**
                     * @description Batches of lower priority are used first.
                     * @default 0
                     */
                    priority?: number;
                    /** @description With product_key: when it begins to count; now when left out. */
                    valid_from?: string;
                    /** @description With product_key: when it ends; never when left out. */
                    expires_at?: (string) | null;
                    /** @description Of a migration, required: the id in the system that it comes from, compared exactly; an integer is read as its digits. To one customer the same id grants once. */
                    source_id?: string | number;
                    /** @description Of a trial: what else tells that it is the same person, by type. Each counts beside the customer’s own identities. */
                    identities?: {
                        [key: string]: string | number | null;
                    };
                    /**
                     * @description Of a trial: grants it although one was used; needs a reason.
                     * @default false
                     */
                    override?: boolean | ("true" | "false");
                    /** @description Why; kept in the metadata of the batches. Required of an adjustment and an override. */
                    reason?: string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** @enum {string} */
                        grant_type: "trial" | "bonus" | "adjustment" | "migration";
                        /** Format: uuid */
                        operation_id: string;
                        /** @description The keys of the products granted. */
                        products: string[];
                        batches: components["schemas"]["Batch"][];
                        /** @description What an adjustment took away. */
                        taken?: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    grantTrial: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description Grants what this offer gives. A trial without it grants every active trial offer. */
                    sku?: string;
                    /** @description Grants units of one product; not for trials. */
                    product_key?: string;
                    /**
                     * @description How often the offer, or how many units.
                     * @default 1
                     */
                    quantity?: number | string;
                    /**
                     * @description Of an adjustment: `debit` takes units away.
                     * @default credit
                     * @enum {string}
                     */
                    direction?: "credit" | "debit";
                    /**
                     * @description Batches of lower priority are used first.
                     * @default 0
                     */
                    priority?: number;
                    /** @description With product_key: when it begins to count; now when left out. */
                    valid_from?: string;
                    /** @description With product_key: when it ends; never when left out. */
                    expires_at?: (string) | null;
                    /** @description Of a migration, required: the id in the system that it comes from, compared exactly; an integer is read as its digits. To one customer the same id grants once. */
                    source_id?: string | number;
                    /** @description Of a trial: what else tells that it is the same person, by type. Each counts beside the customer’s own identities. */
                    identities?: {
                        [key: string]: string | number | null;
                    };
                    /**
                     * @description Of a trial: grants it although one was used; needs a reason.
                     * @default false
                     */
                    override?: boolean | ("true" | "false");
                    /** @description Why; kept in the metadata of the batches. Required of an adjustment and an override. */
                    reason?: string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /** @description Taken without effect: the path says it; workflows written for billable send it */
                    grant_type?: unknown;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** @enum {string} */
                        grant_type: "trial" | "bonus" | "adjustment" | "migration";
                        /** Format: uuid */
                        operation_id: string;
                        /** @description The keys of the products granted. */
                        products: string[];
                        batches: components["schemas"]["Batch"][];
                        /** @description What an adjustment took away. */
                        taken?: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    addCredits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description A currency product. */
                    product_key: string;
                    amount: number | string;
                    /** @description What for; kept in the metadata. */
                    description?: string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /** @description When they end; never when left out. */
                    expires_at?: (string) | null;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        operation_id: string;
                        product_key: string;
                        amount: number;
                        /** @description What can be spent now, minus what is owed, afterwards; negative with debt. */
                        balance: number;
                        /** @description What becomes valid later, and can’t be spent yet. */
                        upcoming: number;
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** Format: uuid */
                        batch_id: string;
                        /** @description How much of it repaid a debt at once. */
                        repaid: number;
                    };
                };
            };
        };
    };
    deductCredits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description A currency product. */
                    product_key: string;
                    amount: number | string;
                    /** @description What for; kept in the metadata. */
                    description?: string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description For work that is done already: what is lacking is owed, and repaid by the next credits.
                     * @default false
                     */
                    allow_negative?: boolean | ("true" | "false");
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** Format: uuid */
                        operation_id: string;
                        product_key: string;
                        amount: number;
                        /** @description What can be spent now, minus what is owed, afterwards; negative with debt. */
                        balance: number;
                        /** @description What becomes valid later, and can’t be spent yet. */
                        upcoming: number;
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** @description What each batch pays, in product units and in the order of use. */
                        taken: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description How much of it was lacking, and is owed. */
                        owed: number;
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    getCreditsBalance: {
        parameters: {
            query: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                product_key: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        product_key: string;
                        /** @description Available minus owed. */
                        balance: number;
                        /** @description What becomes valid later, and can’t be spent yet. */
                        upcoming: number;
                        /** @description What can be used now. */
                        available: number;
                        held: number;
                        owed: number;
                    };
                };
            };
        };
    };
    listExpiringCredits: {
        parameters: {
            query: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                product_key: string;
                /** @description Within so many seconds; 604800 (7 days) when left out. */
                within?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Soonest end first, by `expires_at` and `batch_id`. */
                        data: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                            /** Format: date-time */
                            expires_at: string;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    getBalance: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                product_key?: string;
                feature?: string;
                /** @description A past instant: the answer as it was then, recomputed from the ledger. Now when left out. */
                as_of?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        can_use: boolean;
                        product_key?: string;
                        feature?: string;
                        /** @description Null when it is not counted. */
                        remaining: number | null;
                        /** @description What becomes valid later, and can’t be spent yet. */
                        upcoming: number;
                        /** @description When the units used next end, or the access does. */
                        expires_at: string | null;
                        message: string;
                    };
                };
            };
        };
    };
    getWallet: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description A past instant: the answer as it was then, recomputed from the ledger. Now when left out. */
                as_of?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        /** @description Units that can be spent now, minus what is owed, by product key; negative with debt. */
                        balances: {
                            [key: string]: number;
                        };
                        /** @description Units that become valid later, and can’t be spent yet, by product key. */
                        upcoming: {
                            [key: string]: number;
                        };
                        /** @description Units held for work in progress. */
                        held: {
                            [key: string]: number;
                        };
                        /** @description Present access by product key; `until` is null when it never ends. */
                        access: {
                            [key: string]: {
                                until: string | null;
                            };
                        };
                        /** @description Features of the products in this wallet; `remaining` in feature units, null when not counted. */
                        features: {
                            [key: string]: {
                                can_use: boolean;
                                remaining: number | null;
                            };
                        };
                    };
                };
            };
        };
    };
    listBatches: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description A past instant: the answer as it was then, recomputed from the ledger. Now when left out. */
                as_of?: string;
                product_key?: string;
                /** @description Only batches of the products that provide it today. */
                feature?: string;
                /** @description Only what this order granted. */
                order_id?: string;
                /** @description `pending` is not valid yet; `exhausted` has nothing left. */
                state?: "active" | "pending" | "exhausted" | "expired" | "revoked";
                /** @description Only batches that end within so many seconds. */
                expiring_within?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `id`. */
                        data: components["schemas"]["Batch"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listEntries: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                product_key?: string;
                kind?: "grant" | "consume" | "expire" | "revoke" | "hold" | "release" | "commit" | "reverse" | "debt" | "repay" | "forgive" | "adjust" | "transfer_out" | "transfer_in";
                action_type?: string;
                operation_id?: string;
                /** @description Entries that occurred at or after this instant. */
                from?: string;
                /** @description Entries that occurred before this instant. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `seq`. */
                        data: components["schemas"]["Entry"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                        /** @description Whether something has expired or lapsed that is not in the ledger yet: balances don’t count it any more, its entries come with the next write or sweep. */
                        settlement_pending: boolean;
                    };
                };
            };
        };
    };
    checkQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    product_key?: string;
                    feature?: string;
                    /**
                     * @description In units of the product, or of the feature.
                     * @default 1
                     */
                    amount?: number | string;
                    /**
                     * @description What the units are used for.
                     * @default usage
                     */
                    action_type?: string;
                    /** @description Your id of the use; an integer is read as its digits. */
                    action_id?: (string | number) | null;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        allowed: boolean;
                        /** @description What each batch pays, in product units and in the order of use. */
                        would_take: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description What would be left; when refused, what there is. Null when it is not counted. */
                        remaining: number | null;
                        reasons: {
                            /** @enum {string} */
                            code: "insufficient_quota" | "limit_exceeded" | "expired" | "not_yet_valid" | "inactive_product";
                            product_key?: string;
                            /**
                             * Format: date-time
                             * @description When it expired, or becomes valid.
                             */
                            at?: string;
                        }[];
                        /** @description Every window of every limit that stands against it. */
                        violations: {
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                        /** @description Offers that would help and that this customer could buy, cheapest first; 10 at most. */
                        upgrade_skus: string[];
                        /** @description The same offers, with what they cost. */
                        upgrade_offers: {
                            sku: string;
                            name: string;
                            price: string;
                            currency: string;
                        }[];
                        /** @description The earliest instant known at which it would be allowed. */
                        allowed_at: string | null;
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    checkQuotaBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description What is asked for, each by itself. */
                    items: {
                        product_key?: string;
                        feature?: string;
                        /**
                         * @description In units of the product, or of the feature.
                         * @default 1
                         */
                        amount?: number | string;
                    }[];
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description For each item, in their order, the answer of a check, or the members of the problem that a check of it alone would be. */
                        results: ({
                            allowed: boolean;
                            /** @description What each batch pays, in product units and in the order of use. */
                            would_take: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                amount: number;
                            }[];
                            /** @description What would be left; when refused, what there is. Null when it is not counted. */
                            remaining: number | null;
                            reasons: {
                                /** @enum {string} */
                                code: "insufficient_quota" | "limit_exceeded" | "expired" | "not_yet_valid" | "inactive_product";
                                product_key?: string;
                                /**
                                 * Format: date-time
                                 * @description When it expired, or becomes valid.
                                 */
                                at?: string;
                            }[];
                            /** @description Every window of every limit that stands against it. */
                            violations: {
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window before, in the subject’s unit. */
                                current: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                /** @description When the window ends; null of `total`. */
                                resets_at: string | null;
                            }[];
                            /** @description Limits (SOFT) that it goes beyond. */
                            warnings: {
                                /** @enum {string} */
                                code: "limit_exceeded";
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window before, in the subject’s unit. */
                                current: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                /** @description When the window ends; null of `total`. */
                                resets_at: string | null;
                            }[];
                            /** @description Offers that would help and that this customer could buy, cheapest first; 10 at most. */
                            upgrade_skus: string[];
                            /** @description The same offers, with what they cost. */
                            upgrade_offers: {
                                sku: string;
                                name: string;
                                price: string;
                                currency: string;
                            }[];
                            /** @description The earliest instant known at which it would be allowed. */
                            allowed_at: string | null;
                            index: number;
                        } | ({
                            /** @enum {boolean} */
                            allowed: false;
                            /**
                             * @description Stable; branch on this one.
                             * @enum {string}
                             */
                            code: "invalid_request" | "invalid_catalog" | "malformed_json" | "malformed_url" | "mixed_currencies" | "address_refused" | "unauthenticated" | "invalid_signature" | "insufficient_quota" | "reservation_exceeded" | "forbidden" | "path_not_allowed" | "route_not_found" | "customer_not_found" | "product_not_found" | "feature_not_found" | "offer_not_found" | "identity_not_found" | "operation_not_found" | "reservation_not_found" | "dispute_not_found" | "batch_not_found" | "order_not_found" | "subscription_not_found" | "limit_not_found" | "endpoint_not_found" | "delivery_not_found" | "payment_provider_not_found" | "payment_event_not_found" | "payment_source_not_found" | "payment_event_closed" | "referral_program_not_found" | "too_many_referral_programs" | "reward_not_found" | "reward_not_held" | "too_many_payment_sources" | "checkout_unavailable" | "checkout_differs" | "provider_refused" | "endpoint_without_url" | "delivery_waiting" | "delivery_under_way" | "api_key_not_found" | "method_not_allowed" | "not_metered" | "product_metered" | "feature_metered" | "limit_source_refused" | "too_many_followers" | "too_many_limits" | "too_many_endpoints" | "clock_backwards" | "cursor_expired" | "selector_conflict" | "name_taken" | "name_reserved" | "product_in_use" | "product_inactive" | "offer_inactive" | "offer_exchange_only" | "offer_not_exchangeable" | "offer_not_plan" | "subscription_exists" | "subscription_incomplete" | "subscription_ended" | "subscription_unchanged" | "change_paid" | "plan_is_free" | "subscription_not_renewable" | "other_plan_group" | "offer_not_trial" | "trial_already_used" | "identity_taken" | "merge_with_itself" | "customer_merged" | "customer_erased" | "too_many_merged" | "self_referral" | "already_referred" | "referral_cycle" | "already_unlimited" | "quantity_too_large" | "too_many_batches" | "too_many_open_orders" | "order_already_paid" | "order_not_paid" | "refund_exceeds_paid" | "refund_id_required" | "refund_pending" | "refund_mismatch" | "dispute_mismatch" | "dispute_closed" | "offer_limit_reached" | "too_many_reports" | "order_not_cancellable" | "order_not_payable" | "payment_already_used" | "payment_mismatch" | "product_not_currency" | "reservation_closed" | "reservation_expired" | "reservation_too_long" | "not_reversible" | "release_exceeds_usage" | "api_key_ended" | "too_large" | "precondition_failed" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "limit_exceeded" | "rate_limited" | "internal_error" | "clock_skewed" | "overloaded" | "unavailable";
                            title: string;
                            detail: string;
                            index: number;
                        } & {
                            [key: string]: unknown;
                        }))[];
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    consumeQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    product_key?: string;
                    feature?: string;
                    /**
                     * @description In units of the product, or of the feature.
                     * @default 1
                     */
                    amount?: number | string;
                    /**
                     * @description What the units are used for.
                     * @default usage
                     */
                    action_type?: string;
                    /** @description Your id of the use; an integer is read as its digits. */
                    action_id?: (string | number) | null;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** Format: uuid */
                        operation_id: string;
                        /**
                         * Format: uuid
                         * @description The id of the last entry of this operation.
                         */
                        usage_id: string;
                        product_key?: string;
                        feature?: string;
                        amount: number;
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        /** @description What each batch pays, in product units and in the order of use. */
                        taken: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    consumeWallet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    product_key?: string;
                    feature?: string;
                    /**
                     * @description In units of the product, or of the feature.
                     * @default 1
                     */
                    amount?: number | string;
                    /**
                     * @description What the units are used for.
                     * @default usage
                     */
                    action_type?: string;
                    /** @description Your id of the use; an integer is read as its digits. */
                    action_id?: (string | number) | null;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** Format: uuid */
                        operation_id: string;
                        /**
                         * Format: uuid
                         * @description The id of the last entry of this operation.
                         */
                        usage_id: string;
                        product_key?: string;
                        feature?: string;
                        amount: number;
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        /** @description What each batch pays, in product units and in the order of use. */
                        taken: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    consumeQuotaBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Each is a consume with a key of its own. */
                    items: {
                        /** Format: uuid */
                        customer_id?: string;
                        /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                        user_id?: string | number;
                        /** @description The id in the system of the provider; an integer is read as its digits. */
                        external_id?: string | number;
                        /**
                         * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                         * @default default
                         */
                        provider?: string;
                        product_key?: string;
                        feature?: string;
                        /**
                         * @description In units of the product, or of the feature.
                         * @default 1
                         */
                        amount?: number | string;
                        /**
                         * @description What the units are used for.
                         * @default usage
                         */
                        action_type?: string;
                        /** @description Your id of the use; an integer is read as its digits. */
                        action_id?: (string | number) | null;
                        /**
                         * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                         * @default {}
                         */
                        metadata?: {
                            [key: string]: unknown;
                        };
                        /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                        idempotency_key?: string;
                        /**
                         * @description Without effect: each item has its verdict. Taken so that an item may be the body of a consume.
                         * @enum {string}
                         */
                        on_refusal?: "problem" | "verdict";
                    }[];
                    /**
                     * @description `continue` takes what can be taken, `atomic` all of it or nothing.
                     * @default continue
                     * @enum {string}
                     */
                    mode?: "continue" | "atomic";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description False when an atomic batch was refused: nothing was taken. */
                        committed: boolean;
                        /** @description For each item, in their order, the answer of a consume, or the members of its problem. */
                        results: ({
                            index: number;
                            /** @description Whether the item’s key had this answer before the item was reached. Of a call that is itself a replay (`Idempotent-Replayed`), as it was then. */
                            replayed: boolean;
                            allowed: boolean;
                        } & {
                            [key: string]: unknown;
                        })[];
                    };
                };
            };
        };
    };
    giveBackQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * Format: uuid
                     * @description The use of which something is given back.
                     */
                    operation_id?: string;
                    product_key?: string;
                    feature?: string;
                    /** @description In the unit of the use; all that is left of it when left out. Required without `operation_id`. */
                    amount?: number | string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        operation_id: string;
                        product_key?: string;
                        feature?: string;
                        amount: number;
                        /** @description Units that came back; what is owed is repaid with them first. */
                        returned: number;
                        /** @description Units that came back to a batch that had ended. */
                        expired: number;
                        /** @description Units that came back to a batch that was refunded. */
                        revoked: number;
                        /** @description What came back to each batch, in product units. */
                        restored: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    getOperation: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path: {
                /** @description The `operation_id` that `consumeQuota` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        /** @description What was done. */
                        name: string;
                        /** @description The id of the API key that asked for it; `system` for the service itself. */
                        key: string;
                        /** Format: date-time */
                        recorded_at: string;
                        /** @description Of callers, as far as they are kept. */
                        idempotency_keys: string[];
                        /** @description What was answered, where it is kept: under a key, or under what the operation is about. */
                        answer: {
                            status: number;
                            body: {
                                [key: string]: unknown;
                            };
                        } | null;
                        /** @description What it did in the ledger, oldest first: the first 200 entries. */
                        entries: components["schemas"]["Entry"][];
                        entries_total: number;
                        /** @description What it told, in order: the first 200 events that are still kept. */
                        events: ({
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                provider: string;
                                external_id: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.merged";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /**
                                 * Format: uuid
                                 * @description Its id and identities lead to the customer of the event.
                                 */
                                source_customer_id: string;
                                identities: number;
                                batches: number;
                                dropped_referrals: number;
                                /** @description Those that go on with the customer of the event. */
                                subscriptions?: number;
                                /** @description Those that ended, because another one of their group ends later. */
                                ended_subscriptions?: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.erased";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description Orders that waited for a payment, and were cancelled. */
                                orders: number;
                                reservations: number;
                                subscriptions: number;
                                /** @description Batches of which something was left, and was revoked. */
                                batches: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                total_amount: string;
                                /** @description The first 20 lines; `items_total` says how many there are. */
                                items: {
                                    sku: string;
                                    quantity: number;
                                    price: string;
                                }[];
                                items_total: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.paid";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                total_amount: string;
                                /** @description The first 20 lines; `items_total` says how many there are. */
                                items: {
                                    sku: string;
                                    quantity: number;
                                    price: string;
                                }[];
                                items_total: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                payment_method: string;
                                /** @description Null of an order that cost nothing and was confirmed without one. */
                                payment_id: string | null;
                                /** Format: date-time */
                                paid_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.payment_failed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                payment_method: string;
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.refunded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                refund_id: string;
                                dispute_id: string | null;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.refund_failed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                refund_id: string;
                                dispute_id: string | null;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.disputed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                dispute_id: string;
                                dispute_status: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.dispute_closed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                dispute_id: string;
                                dispute_status: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "payment.unmatched";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                payment_method: string;
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "payment.quarantined";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                inbox_id: string;
                                provider: string;
                                event_id: string;
                                /** @description What the provider told: `paid`, `refunded`, … */
                                kind: string;
                                /** @description A code for why somebody has to look at it. */
                                reason: string | null;
                                order_id: string | null;
                                payment_id: string | null;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.granted";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                source: string;
                                sku: string | null;
                                order_id: string | null;
                                /** @description Null where units are not counted. */
                                granted: number | null;
                                priority: number;
                                /** Format: date-time */
                                valid_from: string;
                                expires_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.expiring";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                /** @description Null where units are not counted. */
                                remaining: number | null;
                                /** Format: date-time */
                                expires_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                amount: number;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.revoked";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                amount: number;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.consumed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description What used it: `quota.consume`, `reservation.commit`, `credits.deduct`, … */
                                operation: string;
                                /** Format: uuid */
                                usage_id: string;
                                feature: string | null;
                                /** @description By product, the first 20; `taken_total` says how many there are. */
                                taken: {
                                    product_key: string;
                                    amount: number;
                                    balance: number;
                                }[];
                                taken_total: number;
                                action_type: string | null;
                                action_id: string | null;
                                reservation_id: string | null;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.low";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                                balance: number;
                                threshold: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.exhausted";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.limit_reached";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window by then. */
                                used: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                resets_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.limit_exceeded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window by then. */
                                used: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                resets_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "trial.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                scopes: string[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "trial.refused";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description Null where every trial offer was asked for. */
                                sku: string | null;
                                /** @description The kind of identity that had a trial before. */
                                identity_type: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.attached";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                referral_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.allocated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.allocation_begun";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.renewed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.skipped";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.trial_ending";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.renewal_due";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.past_due";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.changed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.updated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.moved";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_armed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_held";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.rewarded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.revoked";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.committed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.released";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "exchange.completed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string | null;
                                spent: {
                                    product_key: string | null;
                                    amount: number;
                                };
                                batch_ids: string[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.deactivated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.changed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            /** @description Features of a product cost more, or are gone. */
                            data: {
                                product_key: string;
                                features: {
                                    feature: string;
                                    unit_cost_before: number;
                                    /** @description Null: the product does not provide it any more. */
                                    unit_cost: number | null;
                                }[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "offer.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "offer.deactivated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "webhook_endpoint.disabled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                endpoint_id: string;
                                /** @description `gone`: it answered 410. `failing`: nothing arrived for 24 hours. */
                                reason: string;
                            };
                        })[];
                    };
                };
            };
        };
    };
    getBatch: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The `taken/0/batch_id` that `consumeQuota` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        product_key: string;
                        source: string;
                        sku: string | null;
                        order_id: string | null;
                        /** @description The subscription in whose period it was allocated, or goes on. */
                        subscription_id: string | null;
                        /** @description The line of the order that granted it: `id` of its `items`. */
                        order_item_id: string | null;
                        /** @description Null when the product is not counted. */
                        granted: number | null;
                        available: number;
                        held: number;
                        consumed: number;
                        expired: number;
                        revoked: number;
                        transferred: number;
                        priority: number;
                        /** Format: date-time */
                        valid_from: string;
                        expires_at: string | null;
                        /**
                         * @description `pending` is not valid yet; `exhausted` has nothing left.
                         * @enum {string}
                         */
                        state: "active" | "pending" | "exhausted" | "expired" | "revoked";
                        /** Format: date-time */
                        created_at: string;
                        /** @description Empty where an order granted it: the order has it. */
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** @description The batch that it goes on for. */
                        predecessor_id: string | null;
                        /** @description What was done to it, newest first. */
                        entries: components["schemas"]["Entry"][];
                        next_cursor: string | null;
                        /** @description Something of the customer has fallen due that is not among the entries yet. */
                        settlement_pending: boolean;
                    };
                };
            };
        };
    };
    getProductReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        product_key: string;
                        /** @description Who have, or had, something of it. */
                        customers: number;
                        granted: number;
                        /** @description What becomes valid later included. */
                        available: number;
                        held: number;
                        used: number;
                        expired: number;
                        revoked: number;
                        owed: number;
                        /** @description Of what is not counted: how many batches give access now. */
                        access: number;
                    };
                };
            };
        };
    };
    getQuotaStatus: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                product_key?: string;
                feature?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        /** @description Products first, by name. */
                        data: {
                            product_key?: string;
                            feature?: string;
                            /** @description What there is to use now, in the subject’s unit, as `GET /balance` says it; null when it is not counted. */
                            balance: number | null;
                            /** @description Those that are limited; of a subject that has no limit the month and `total`, with what was used of it. */
                            windows: {
                                /** @enum {string} */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description Of `billing_period`: what counts in its place while there is no subscription that says it. */
                                falls_back_to: "month" | null;
                                /** @description What was used in it, in the subject’s unit. */
                                current: number;
                                /** @description Null when there is none. */
                                limit: number | null;
                                /** @description What the limit leaves, never below 0; null when there is none. */
                                remaining: number | null;
                                enforcement: ("HARD" | "SOFT" | "NONE") | null;
                                /** @description Which limit it is: of those that say this window the nearest. */
                                scope: ("customer" | "source" | "plan" | "default") | null;
                                /** @enum {string} */
                                status: "no_limit" | "within_limit" | "at_limit" | "over_limit";
                                /** @description When the window ends; null of `total`. */
                                resets_at: string | null;
                            }[];
                        }[];
                        /** @description There are more than the 500 that are told: ask for them by name. */
                        has_more: boolean;
                        /** @description As of when the limits of another customer, which this one shares, were copied; null when he shares none. */
                        limits_as_of: string | null;
                    };
                };
            };
        };
    };
    getQuotaUsage: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                product_key?: string;
                feature?: string;
                /** @description By the calendar of UTC. */
                window?: "hour" | "day" | "month";
                /** @description The first window is that in which this instant lies. When left out, the last 24 hours, 30 days or 12 months are told. */
                from?: string;
                /** @description The last window is that which has a part before this instant; the present one when left out. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Null: of all customers. */
                        customer_id: string | null;
                        product_key?: string;
                        feature?: string;
                        /** @enum {string} */
                        window: "hour" | "day" | "month";
                        /** @description Each window of the span, oldest first; 1,000 at most. */
                        data: {
                            /** Format: date-time */
                            start: string;
                            /**
                             * Format: date-time
                             * @description The first instant that is not in it.
                             */
                            end: string;
                            /** @description In the subject’s unit. What was given back is not in the window in which it was used. */
                            used: number;
                        }[];
                        /** @description Whether something has expired or lapsed that is not in the ledger yet: balances don’t count it any more, its entries come with the next write or sweep. Null when no customer is named. */
                        settlement_pending: boolean | null;
                    };
                };
            };
        };
    };
    listQuotaEvents: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                product_key?: string;
                feature?: string;
                kind?: "consume" | "hold" | "commit" | "release" | "debt" | "reverse" | "forgive";
                action_type?: string;
                /** @description Recorded at or after this instant. Without a customer at most 31 days before `to`. */
                from?: string;
                /** @description Recorded before this instant. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first. */
                        data: components["schemas"]["QuotaEvent"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                        /** @description Whether something has expired or lapsed that is not in the ledger yet: balances don’t count it any more, its entries come with the next write or sweep. Null when no customer is named. */
                        settlement_pending: boolean | null;
                    };
                };
            };
        };
    };
    listReservations: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                status?: "held" | "committed" | "released" | "expired";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `id`. */
                        data: components["schemas"]["Reservation"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    createReservation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    product_key?: string;
                    feature?: string;
                    /**
                     * @description In units of the product, or of the feature.
                     * @default 1
                     */
                    amount?: number | string;
                    /** @description When it ends by itself, in seconds from now; 900 when neither this nor expires_at is sent. At most 7 days. */
                    ttl_seconds?: (number | string) | null;
                    /** @description Instead of ttl_seconds: the instant at which it ends. */
                    expires_at?: (string) | null;
                    /**
                     * @description What the units are used for.
                     * @default usage
                     */
                    action_type?: string;
                    /** @description Your id of the use; an integer is read as its digits. */
                    action_id?: (string | number) | null;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** Format: uuid */
                        operation_id: string;
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        product_key?: string;
                        feature?: string;
                        /** @description Held, in units of the product or the feature. */
                        amount: number;
                        /** @enum {string} */
                        status: "held" | "committed" | "released" | "expired";
                        committed_amount: number;
                        /** Format: date-time */
                        expires_at: string;
                        /** Format: date-time */
                        created_at: string;
                        ended_at: string | null;
                        /** @description What it holds of each batch, in product units and in the order of use. */
                        legs: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                    };
                };
            };
        };
    };
    getReservation: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path: {
                /** @description The `id` that `createReservation` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reservation"];
                };
            };
        };
    };
    commitReservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createReservation` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description How much was used; all that is held when left out. 0 releases it. */
                    amount?: number | string;
                    /**
                     * @description Takes what goes beyond the held units from the rest, at the costs of then.
                     * @default false
                     */
                    allow_excess?: boolean | ("true" | "false");
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        operation_id: string;
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        product_key?: string;
                        feature?: string;
                        /** @description Held, in units of the product or the feature. */
                        amount: number;
                        /** @enum {string} */
                        status: "held" | "committed" | "released" | "expired";
                        committed_amount: number;
                        /** Format: date-time */
                        expires_at: string;
                        /** Format: date-time */
                        created_at: string;
                        ended_at: string | null;
                        /** @description What it holds of each batch, in product units and in the order of use. */
                        legs: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** @description What each batch pays, in product units and in the order of use. */
                        taken: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description Units that came back; what is owed is repaid with them first. */
                        returned: number;
                        /** @description Units that came back to a batch that had ended. */
                        expired: number;
                        /** @description Units that came back to a batch that was refunded. */
                        revoked: number;
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    releaseReservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createReservation` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        operation_id: string;
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        product_key?: string;
                        feature?: string;
                        /** @description Held, in units of the product or the feature. */
                        amount: number;
                        /** @enum {string} */
                        status: "held" | "committed" | "released" | "expired";
                        committed_amount: number;
                        /** Format: date-time */
                        expires_at: string;
                        /** Format: date-time */
                        created_at: string;
                        ended_at: string | null;
                        /** @description What it holds of each batch, in product units and in the order of use. */
                        legs: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                        /** @description What each batch pays, in product units and in the order of use. */
                        taken: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        /** @description Units that came back; what is owed is repaid with them first. */
                        returned: number;
                        /** @description Units that came back to a batch that had ended. */
                        expired: number;
                        /** @description Units that came back to a batch that was refunded. */
                        revoked: number;
                        /** @description What is left, in the unit asked for; null when it is not counted. */
                        remaining: number | null;
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    extendReservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createReservation` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description When it ends by itself, in seconds from now; never sooner than before. */
                    ttl_seconds: number | string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        operation_id: string;
                        /** Format: uuid */
                        id: string;
                        /** Format: uuid */
                        customer_id: string;
                        product_key?: string;
                        feature?: string;
                        /** @description Held, in units of the product or the feature. */
                        amount: number;
                        /** @enum {string} */
                        status: "held" | "committed" | "released" | "expired";
                        committed_amount: number;
                        /** Format: date-time */
                        expires_at: string;
                        /** Format: date-time */
                        created_at: string;
                        ended_at: string | null;
                        /** @description What it holds of each batch, in product units and in the order of use. */
                        legs: {
                            /** Format: uuid */
                            batch_id: string;
                            product_key: string;
                            amount: number;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listLimits: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description A plan: for whoever has it. */
                plan_sku?: string;
                product_key?: string;
                feature?: string;
                /** @description `default`: only those of all customers. */
                scope?: "default";
                owner_tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first. */
                        data: components["schemas"]["Limit"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    putLimit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description A plan: for whoever has it. */
                    plan_sku?: string;
                    product_key?: string;
                    feature?: string;
                    /** @description How much may be used in each window. 0 blocks, null is without limit, and of a window that is left out a limit farther away says it: the source’s, the plan’s, that of all. */
                    windows: {
                        hour?: number | null;
                        day?: number | null;
                        month?: number | null;
                        billing_period?: number | null;
                        total?: number | null;
                    };
                    /**
                     * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts. In any case.
                     * @default HARD
                     * @enum {string}
                     */
                    enforcement?: "HARD" | "SOFT" | "NONE";
                    /**
                     * @description Who set it, in your words; without effect.
                     * @default null
                     */
                    owner_tag?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
        };
    };
    deleteLimit: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description A plan: for whoever has it. */
                plan_sku?: string;
                product_key?: string;
                feature?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    patchLimit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description A plan: for whoever has it. */
                    plan_sku?: string;
                    product_key?: string;
                    feature?: string;
                    /** @description Only these windows change. */
                    windows?: {
                        hour?: number | null;
                        day?: number | null;
                        month?: number | null;
                        billing_period?: number | null;
                        total?: number | null;
                    };
                    /**
                     * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts. In any case.
                     * @enum {string}
                     */
                    enforcement?: "HARD" | "SOFT" | "NONE";
                    /** @description Who set it, in your words; without effect. */
                    owner_tag?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
        };
    };
    getLimit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `putLimit` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
        };
    };
    getLimitSource: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        /** @description Null when no limits are shared. */
                        source_customer_id: string | null;
                        /** @description As of when they were copied. A change of the source’s is copied within seconds. */
                        limits_as_of: string | null;
                    };
                };
            };
        };
    };
    putLimitSource: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * Format: uuid
                     * @description Whose own limits are shared.
                     */
                    source_customer_id: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        /** @description Null when no limits are shared. */
                        source_customer_id: string | null;
                        /** @description As of when they were copied. A change of the source’s is copied within seconds. */
                        limits_as_of: string | null;
                    };
                };
            };
        };
    };
    deleteLimitSource: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    exchange: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    sku: string;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {boolean} */
                        allowed: true;
                        /** Format: uuid */
                        operation_id: string;
                        spent: {
                            product_key: string;
                            amount: number;
                        };
                        batches: components["schemas"]["Batch"][];
                        /** @description What can be spent now, minus what is owed, afterwards, of the counted products that were touched. */
                        balances: {
                            [key: string]: number;
                        };
                        /** @description Units that become valid later, and can’t be spent yet, by product key. */
                        upcoming: {
                            [key: string]: number;
                        };
                        /** @description Limits (SOFT) that it goes beyond. */
                        warnings: {
                            /** @enum {string} */
                            code: "limit_exceeded";
                            product_key?: string;
                            feature?: string;
                            /**
                             * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                             * @enum {string}
                             */
                            window: "hour" | "day" | "month" | "billing_period" | "total";
                            /** @description What was used in the window before, in the subject’s unit. */
                            current: number;
                            requested: number;
                            limit: number;
                            /**
                             * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                             * @enum {string}
                             */
                            enforcement: "HARD" | "SOFT" | "NONE";
                            /** @description When the window ends; null of `total`. */
                            resets_at: string | null;
                        }[];
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listReferralPrograms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description All of them, by key. */
                        data: components["schemas"]["ReferralProgram"][];
                    };
                };
            };
        };
    };
    getReferralProgram: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `key` that `putReferralProgram` answered. */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReferralProgram"];
                };
            };
        };
    };
    putReferralProgram: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Yours to choose. */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default  */
                    description?: string;
                    /**
                     * @description When rewards are earned: as soon as the referral is made, or by the first order above 0 that the referee pays.
                     * @enum {string}
                     */
                    trigger: "on_attach" | "on_first_paid_order";
                    /**
                     * @description What who brings somebody gets; null for nothing.
                     * @default null
                     */
                    referrer?: {
                        sku: string;
                        /**
                         * @description How many of the offer.
                         * @default 1
                         */
                        quantity?: number;
                    } | null;
                    /**
                     * @description What who is brought gets; null for nothing.
                     * @default null
                     */
                    referee?: {
                        sku: string;
                        /**
                         * @description How many of the offer.
                         * @default 1
                         */
                        quantity?: number;
                    } | null;
                    /**
                     * @description How many days a reward waits, before it is granted.
                     * @default 0
                     */
                    hold_days?: number;
                    /**
                     * @description How many a referrer is granted of this programme; null for any number.
                     * @default null
                     */
                    max_rewards_per_referrer?: number | null;
                    /** @description When it begins; null for always. */
                    from?: (string) | null;
                    /** @description Before when it ends; null for never. */
                    until?: (string) | null;
                    /**
                     * @description Whether a reward is taken back when its order is wholly refunded, or a dispute of it is lost.
                     * @default true
                     */
                    claw_back?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReferralProgram"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReferralProgram"];
                };
            };
        };
    };
    deleteReferralProgram: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `key` that `putReferralProgram` answered. */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listReferrals: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description Only the referral that brought this one: his id, as in `POST /referrals`. */
                referee_id?: string | number;
                /** @description The same, by his external id; `provider` is of both. */
                referee_external_id?: string | number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `referral_id`. */
                        data: {
                            /** Format: uuid */
                            referral_id: string;
                            /** Format: uuid */
                            referrer_id: string;
                            /** Format: uuid */
                            referee_id: string;
                            metadata: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            created_at: string;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    attachReferral: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description A UUID is a `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    referrer_id?: string | number;
                    /** @description A UUID is a `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    referee_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    referrer_external_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    referee_external_id?: string | number;
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description False when the pair was known already. */
                        created: boolean;
                        /** Format: uuid */
                        referral_id: string;
                        /** Format: uuid */
                        referrer_id: string;
                        /** Format: uuid */
                        referee_id: string;
                        metadata: {
                            [key: string]: unknown;
                        };
                    } | components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description False when the pair was known already. */
                        created: boolean;
                        /** Format: uuid */
                        referral_id: string;
                        /** Format: uuid */
                        referrer_id: string;
                        /** Format: uuid */
                        referee_id: string;
                        metadata: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    getReferralStats: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        customer_id: string;
                        count: number;
                    };
                };
            };
        };
    };
    listSubscriptions: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only those of this status. */
                status?: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                /** @description Only those of this plan. */
                sku?: string;
                /** @description Only those of this group. */
                plan_group?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first. */
                        data: components["schemas"]["Subscription"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    subscribe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description Of a plan: an offer with a recurrence. */
                    sku: string;
                    /**
                     * @description Whether the plan’s trial is wanted, if it has one and he had none before.
                     * @default true
                     */
                    trial?: boolean;
                    /** @description Of a trial: what else tells that it is the same person, by type. Each counts beside the customer’s own identities. */
                    identities?: {
                        [key: string]: string | number | null;
                    };
                    /**
                     * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                     * @default {}
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"] | components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"];
                };
            };
        };
    };
    getSubscription: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path: {
                /** @description The `id` that `subscribe` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionInFull"];
                };
            };
        };
    };
    changeSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `subscribe` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /** @description Another plan of the same group; the present one takes a scheduled change back. */
                    sku: string;
                    /**
                     * @description `now` is at once for what costs nothing, else as soon as its order is paid.
                     * @default period_end
                     * @enum {string}
                     */
                    when?: "now" | "period_end";
                    /**
                     * @description What becomes of what is left of the plan before: it stays as long as it was to last, or is revoked.
                     * @default carry
                     * @enum {string}
                     */
                    old_units?: "carry" | "reset";
                    /**
                     * @description Only tells what would become of the subscription, with the order that would pay it.
                     * @default false
                     */
                    dry_run?: boolean;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    resumeSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `subscribe` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    renewSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `subscribe` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    cancelSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `subscribe` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    customer_id?: string;
                    /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                    user_id?: string | number;
                    /** @description The id in the system of the provider; an integer is read as its digits. */
                    external_id?: string | number;
                    /**
                     * @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).
                     * @default default
                     */
                    provider?: string;
                    /**
                     * @description With its period, or at once. What it allocated lasts as long as it was to last.
                     * @default period_end
                     * @enum {string}
                     */
                    when?: "now" | "period_end";
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionResult"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listRewards: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only rewards of this status. */
                status?: "armed" | "held" | "granted" | "clawing_back" | "clawed_back" | "cancelled" | "refused";
                /** @description Only those of this side. */
                side?: "referrer" | "referee";
                /** @description Only those of this programme. */
                program_key?: string;
                /** @description Only those of this referral. */
                referral_id?: string;
                /** @description Only those that this order earned. */
                order_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `id`. */
                        data: components["schemas"]["Reward"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    releaseReward: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Why; kept in the audit trail. */
                    reason?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reward"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    refuseReward: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Why; kept in the audit trail. */
                    reason: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reward"] | components["schemas"]["Verdict"];
                };
            };
        };
    };
    followEvents: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; from the oldest event that is left when left out. Opaque. */
                cursor?: string;
                /** @description Only events of this type; repeatable. */
                type?: ("customer.created" | "customer.merged" | "customer.erased" | "order.created" | "order.paid" | "order.payment_failed" | "order.cancelled" | "order.expired" | "order.refunded" | "order.refund_failed" | "order.disputed" | "order.dispute_closed" | "payment.unmatched" | "payment.quarantined" | "batch.granted" | "batch.expiring" | "batch.expired" | "batch.revoked" | "quota.consumed" | "quota.low" | "quota.exhausted" | "quota.limit_reached" | "quota.limit_exceeded" | "trial.activated" | "trial.refused" | "referral.attached" | "subscription.created" | "subscription.allocated" | "subscription.allocation_begun" | "subscription.renewed" | "subscription.skipped" | "subscription.trial_ending" | "subscription.renewal_due" | "subscription.past_due" | "subscription.changed" | "subscription.updated" | "subscription.moved" | "subscription.cancelled" | "subscription.expired" | "referral.reward_armed" | "referral.reward_held" | "referral.reward_cancelled" | "referral.rewarded" | "referral.revoked" | "reservation.created" | "reservation.committed" | "reservation.released" | "reservation.expired" | "exchange.completed" | "product.activated" | "product.deactivated" | "product.changed" | "offer.activated" | "offer.deactivated" | "webhook_endpoint.disabled")[];
                /** @description How long to wait for a first event, in seconds; answers as soon as there is one. */
                wait_s?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Oldest first, as far as all are there; of one customer by `sequence`. */
                        data: ({
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                provider: string;
                                external_id: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.merged";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /**
                                 * Format: uuid
                                 * @description Its id and identities lead to the customer of the event.
                                 */
                                source_customer_id: string;
                                identities: number;
                                batches: number;
                                dropped_referrals: number;
                                /** @description Those that go on with the customer of the event. */
                                subscriptions?: number;
                                /** @description Those that ended, because another one of their group ends later. */
                                ended_subscriptions?: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "customer.erased";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description Orders that waited for a payment, and were cancelled. */
                                orders: number;
                                reservations: number;
                                subscriptions: number;
                                /** @description Batches of which something was left, and was revoked. */
                                batches: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                total_amount: string;
                                /** @description The first 20 lines; `items_total` says how many there are. */
                                items: {
                                    sku: string;
                                    quantity: number;
                                    price: string;
                                }[];
                                items_total: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.paid";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                total_amount: string;
                                /** @description The first 20 lines; `items_total` says how many there are. */
                                items: {
                                    sku: string;
                                    quantity: number;
                                    price: string;
                                }[];
                                items_total: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                payment_method: string;
                                /** @description Null of an order that cost nothing and was confirmed without one. */
                                payment_id: string | null;
                                /** Format: date-time */
                                paid_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.payment_failed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                payment_method: string;
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.refunded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                refund_id: string;
                                dispute_id: string | null;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.refund_failed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                refund_id: string;
                                dispute_id: string | null;
                                reason: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.disputed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                dispute_id: string;
                                dispute_status: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "order.dispute_closed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                currency: string;
                                amount: string;
                                /** @description Of the order, as it is afterwards. */
                                status: string;
                                refunded_amount: string;
                                disputed_amount: string;
                                payment_method: string;
                                dispute_id: string;
                                dispute_status: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "payment.unmatched";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                order_id: string;
                                payment_method: string;
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "payment.quarantined";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                inbox_id: string;
                                provider: string;
                                event_id: string;
                                /** @description What the provider told: `paid`, `refunded`, … */
                                kind: string;
                                /** @description A code for why somebody has to look at it. */
                                reason: string | null;
                                order_id: string | null;
                                payment_id: string | null;
                                amount: string | null;
                                currency: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.granted";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                source: string;
                                sku: string | null;
                                order_id: string | null;
                                /** @description Null where units are not counted. */
                                granted: number | null;
                                priority: number;
                                /** Format: date-time */
                                valid_from: string;
                                expires_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.expiring";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                /** @description Null where units are not counted. */
                                remaining: number | null;
                                /** Format: date-time */
                                expires_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                amount: number;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "batch.revoked";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                batch_id: string;
                                product_key: string;
                                amount: number;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.consumed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description What used it: `quota.consume`, `reservation.commit`, `credits.deduct`, … */
                                operation: string;
                                /** Format: uuid */
                                usage_id: string;
                                feature: string | null;
                                /** @description By product, the first 20; `taken_total` says how many there are. */
                                taken: {
                                    product_key: string;
                                    amount: number;
                                    balance: number;
                                }[];
                                taken_total: number;
                                action_type: string | null;
                                action_id: string | null;
                                reservation_id: string | null;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.low";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                                balance: number;
                                threshold: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.exhausted";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                                balance: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.limit_reached";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window by then. */
                                used: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                resets_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "quota.limit_exceeded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key?: string;
                                feature?: string;
                                /**
                                 * @description By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.
                                 * @enum {string}
                                 */
                                window: "hour" | "day" | "month" | "billing_period" | "total";
                                /** @description What was used in the window by then. */
                                used: number;
                                requested: number;
                                limit: number;
                                /**
                                 * @description HARD refuses what goes beyond the limit, SOFT warns, NONE counts.
                                 * @enum {string}
                                 */
                                enforcement: "HARD" | "SOFT" | "NONE";
                                resets_at: string | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "trial.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                scopes: string[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "trial.refused";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** @description Null where every trial offer was asked for. */
                                sku: string | null;
                                /** @description The kind of identity that had a trial before. */
                                identity_type: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.attached";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                referral_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.allocated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.allocation_begun";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.renewed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.skipped";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.trial_ending";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.renewal_due";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.past_due";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.changed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.updated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.moved";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "subscription.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                subscription_id: string;
                                sku: string;
                                plan_group: string;
                                /** @enum {string} */
                                status: "incomplete" | "trialing" | "active" | "past_due" | "cancelled" | "expired";
                                period_starts_at: string | null;
                                period_ends_at: string | null;
                                cancels_at_end: boolean;
                                /** @description The SKU of the plan that it changes to. */
                                changes_to: string | null;
                                /** @description The order that pays, or paid, what the event is about. */
                                order_id: string | null;
                                /** Format: date-time */
                                occurred_at: string;
                                /** @description Of `skipped`: the period was over, with all that it would have given; or more could not have been counted. */
                                reason: ("over" | "no_room") | null;
                                period: {
                                    /** @enum {string} */
                                    kind: "trial" | "free" | "paid" | "skipped";
                                    /** Format: date-time */
                                    starts_at: string;
                                    /** Format: date-time */
                                    ends_at: string;
                                    count: number;
                                    granted: {
                                        product_key: string;
                                        amount: number;
                                    }[];
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_armed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_held";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.reward_cancelled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.rewarded";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "referral.revoked";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reward_id: string;
                                /** Format: uuid */
                                referral_id: string;
                                /** @description Whose reward it is: `referrer` or `referee`. */
                                side: string;
                                /**
                                 * Format: uuid
                                 * @description Who gets it.
                                 */
                                customer_id: string;
                                /** Format: uuid */
                                referrer_id: string;
                                /** Format: uuid */
                                referee_id: string;
                                program_key: string;
                                order_id: string | null;
                                sku: string;
                                quantity: number;
                                status: string;
                                hold_reason: string | null;
                                cancel_reason: string | null;
                                /** Format: date-time */
                                due_at: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.created";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.committed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.released";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "reservation.expired";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                /** Format: uuid */
                                reservation_id: string;
                                product_key?: string;
                                feature?: string;
                                amount: number;
                                /** Format: date-time */
                                expires_at: string;
                                /** @description Null where it is larger than 8 KiB: read it by the id. */
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                committed_amount: number;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "exchange.completed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string | null;
                                spent: {
                                    product_key: string | null;
                                    amount: number;
                                };
                                batch_ids: string[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.deactivated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                product_key: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "product.changed";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            /** @description Features of a product cost more, or are gone. */
                            data: {
                                product_key: string;
                                features: {
                                    feature: string;
                                    unit_cost_before: number;
                                    /** @description Null: the product does not provide it any more. */
                                    unit_cost: number | null;
                                }[];
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "offer.activated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "offer.deactivated";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                sku: string;
                            };
                        } | {
                            /** Format: uuid */
                            id: string;
                            /** @enum {string} */
                            type: "webhook_endpoint.disabled";
                            /** Format: date-time */
                            created_at: string;
                            /** @description Its number among the events of the customer, or among those about no customer, without gaps. */
                            sequence: number;
                            /** @description The version of the data of this type. */
                            schema_version: number;
                            operation_id: string | null;
                            /** @description Whose it is, with the identities that he has when the event is read; null where it is about nobody. */
                            customer: {
                                /** Format: uuid */
                                id: string;
                                identities: {
                                    provider: string;
                                    external_id: string;
                                }[];
                            } | null;
                            data: {
                                endpoint_id: string;
                                /** @description `gone`: it answered 410. `failing`: nothing arrived for 24 hours. */
                                reason: string;
                            };
                        })[];
                        /** @description Send it as `cursor` to go on, also when nothing came: of events that are rare a page may be empty while there are more. Never null. */
                        next_cursor: string;
                    };
                };
            };
        };
    };
    listEndpoints: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description All of them, by id. */
                        data: {
                            id: string;
                            types: string[];
                            description: string;
                            enabled: boolean;
                            url: string | null;
                            /** @description Until when the secret before signs, too; null where there is none. */
                            old_secret_until: string | null;
                            /** @description Why it was disabled by itself: it answered 410, or attempts failed for 24 hours and none arrived. A PUT enables it again, from then on; what it missed can be replayed. */
                            disabled_reason: ("gone" | "failing") | null;
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            updated_at: string;
                        }[];
                    };
                };
            };
        };
    };
    getEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `putEndpoint` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        types: string[];
                        description: string;
                        enabled: boolean;
                        url: string | null;
                        /** @description Until when the secret before signs, too; null where there is none. */
                        old_secret_until: string | null;
                        /** @description Why it was disabled by itself: it answered 410, or attempts failed for 24 hours and none arrived. A PUT enables it again, from then on; what it missed can be replayed. */
                        disabled_reason: ("gone" | "failing") | null;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        updated_at: string;
                    };
                };
            };
        };
    };
    putEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Yours to choose. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Where events are sent, from the answer on; without it the endpoint follows the feed. Public addresses on port 80, 443 or 8000 to 9999, no user name or password.
                     * @default null
                     */
                    url?: string | null;
                    /** @description What is signed with, from now on; the one before signs, too, for 24 hours. The present one is kept when left out. */
                    secret?: string;
                    /**
                     * @description Draws another secret; the one before signs, too, for 24 hours.
                     * @default false
                     */
                    rotate_secret?: boolean | ("true" | "false");
                    /** @description What it is told of: types of events, groups of them such as `order.*`, or `*` for all. Always to be sent, so that none gets more than it was meant to by being put again. */
                    types: ("*" | "customer.*" | "order.*" | "payment.*" | "batch.*" | "quota.*" | "trial.*" | "referral.*" | "subscription.*" | "reservation.*" | "exchange.*" | "product.*" | "offer.*" | "webhook_endpoint.*" | "customer.created" | "customer.merged" | "customer.erased" | "order.created" | "order.paid" | "order.payment_failed" | "order.cancelled" | "order.expired" | "order.refunded" | "order.refund_failed" | "order.disputed" | "order.dispute_closed" | "payment.unmatched" | "payment.quarantined" | "batch.granted" | "batch.expiring" | "batch.expired" | "batch.revoked" | "quota.consumed" | "quota.low" | "quota.exhausted" | "quota.limit_reached" | "quota.limit_exceeded" | "trial.activated" | "trial.refused" | "referral.attached" | "subscription.created" | "subscription.allocated" | "subscription.allocation_begun" | "subscription.renewed" | "subscription.skipped" | "subscription.trial_ending" | "subscription.renewal_due" | "subscription.past_due" | "subscription.changed" | "subscription.updated" | "subscription.moved" | "subscription.cancelled" | "subscription.expired" | "referral.reward_armed" | "referral.reward_held" | "referral.reward_cancelled" | "referral.rewarded" | "referral.revoked" | "reservation.created" | "reservation.committed" | "reservation.released" | "reservation.expired" | "exchange.completed" | "product.activated" | "product.deactivated" | "product.changed" | "offer.activated" | "offer.deactivated" | "webhook_endpoint.disabled")[];
                    /** @default  */
                    description?: string;
                    /**
                     * @description One that is not asks for nothing.
                     * @default true
                     */
                    enabled?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        types: string[];
                        description: string;
                        enabled: boolean;
                        url: string | null;
                        /** @description Until when the secret before signs, too; null where there is none. */
                        old_secret_until: string | null;
                        /** @description Why it was disabled by itself: it answered 410, or attempts failed for 24 hours and none arrived. A PUT enables it again, from then on; what it missed can be replayed. */
                        disabled_reason: ("gone" | "failing") | null;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        updated_at: string;
                        /** @description What is signed with, by Standard Webhooks; null without a URL. Told by every PUT, and nowhere else. */
                        secret: string | null;
                    };
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        types: string[];
                        description: string;
                        enabled: boolean;
                        url: string | null;
                        /** @description Until when the secret before signs, too; null where there is none. */
                        old_secret_until: string | null;
                        /** @description Why it was disabled by itself: it answered 410, or attempts failed for 24 hours and none arrived. A PUT enables it again, from then on; what it missed can be replayed. */
                        disabled_reason: ("gone" | "failing") | null;
                        /** Format: date-time */
                        created_at: string;
                        /** Format: date-time */
                        updated_at: string;
                        /** @description What is signed with, by Standard Webhooks; null without a URL. Told by every PUT, and nowhere else. */
                        secret: string | null;
                    };
                };
            };
        };
    };
    deleteEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `putEndpoint` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    testEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `putEndpoint` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        message_id: string;
                        delivered: boolean;
                        answer_status: number | null;
                        answer_excerpt: string | null;
                        error: string | null;
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                status?: "waiting" | "delivered" | "parked";
            };
            header?: never;
            path: {
                /** @description The `id` that `putEndpoint` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The newest event first. */
                        data: {
                            /** @description Of the delivery, at its endpoint. */
                            id: string;
                            /**
                             * Format: uuid
                             * @description Of its event: the `webhook-id`, at each attempt.
                             */
                            event_id: string;
                            type: string;
                            sequence: number;
                            previous_sequence: number | null;
                            /**
                             * @description `waiting` for its next attempt or for those before it; `delivered`; `parked`: given up after three days.
                             * @enum {string}
                             */
                            status: "waiting" | "delivered" | "parked";
                            attempts: number;
                            /** @description When it was tried last. */
                            tried_at: string | null;
                            /** @description When it is tried next; null where it is not, or waits for those before it. */
                            next_at: string | null;
                            /** @description What the receiver answered last. */
                            answer_status: number | null;
                            /** @description The first bytes of that answer. */
                            answer_excerpt: string | null;
                            /** @description Why there was no answer, in a word. */
                            error: string | null;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    retryDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Yours to choose. */
                id: string;
                delivery_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Of the delivery, at its endpoint. */
                        id: string;
                        /**
                         * Format: uuid
                         * @description Of its event: the `webhook-id`, at each attempt.
                         */
                        event_id: string;
                        type: string;
                        sequence: number;
                        previous_sequence: number | null;
                        /**
                         * @description `waiting` for its next attempt or for those before it; `delivered`; `parked`: given up after three days.
                         * @enum {string}
                         */
                        status: "waiting" | "delivered" | "parked";
                        attempts: number;
                        /** @description When it was tried last. */
                        tried_at: string | null;
                        /** @description When it is tried next; null where it is not, or waits for those before it. */
                        next_at: string | null;
                        /** @description What the receiver answered last. */
                        answer_status: number | null;
                        /** @description The first bytes of that answer. */
                        answer_excerpt: string | null;
                        /** @description Why there was no answer, in a word. */
                        error: string | null;
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    replayDeliveries: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `putEndpoint` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Events that were recorded from then on, */
                    from?: string;
                    /** @description and before then: at most 31 days later. */
                    until?: string;
                    /** @description Instead: everything that was given up. */
                    failed?: boolean | ("true" | "false");
                    /** @description `next_cursor` of the page before; opaque. */
                    cursor?: string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Events that are sent again, or wait already: at most 10,000. */
                        replayed: number;
                        /** @description There may be more: send the same again, with this as `cursor`. Else null. */
                        next_cursor: string | null;
                    } | components["schemas"]["Verdict"];
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
                /** @description Only changes of this kind; repeatable. */
                action?: ("product.created" | "product.updated" | "offer.created" | "offer.updated" | "endpoint.created" | "endpoint.updated" | "endpoint.deleted" | "api_key.created" | "api_key.updated" | "api_key.refused" | "customer_token.issued" | "limit.created" | "limit.updated" | "limit.deleted" | "limit_source.created" | "limit_source.updated" | "limit_source.deleted" | "payment_event.updated" | "payment_source.created" | "payment_source.updated" | "payment_source.deleted" | "referral_program.created" | "referral_program.updated" | "referral_program.deleted" | "reward.released" | "reward.refused" | "clock.set" | "customer.updated" | "customer.merged" | "customer.erased" | "identity.linked" | "identity.unlinked" | "balance.adjusted" | "order.priced" | "order.refunded" | "order.disputed" | "trial.overridden")[];
                /** @description Only changes of the thing of this key, SKU or id. */
                subject?: string;
                /** @description Only what was done with this API key, by its id. */
                key?: string;
                /** @description From this instant on. */
                from?: string;
                /** @description Before this instant. */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first. */
                        data: {
                            /** Format: uuid */
                            id: string;
                            /** Format: date-time */
                            at: string;
                            /** @description The id of the API key that did it; `system` for the service itself. */
                            key: string;
                            /** @enum {string} */
                            action: "product.created" | "product.updated" | "offer.created" | "offer.updated" | "endpoint.created" | "endpoint.updated" | "endpoint.deleted" | "api_key.created" | "api_key.updated" | "api_key.refused" | "customer_token.issued" | "limit.created" | "limit.updated" | "limit.deleted" | "limit_source.created" | "limit_source.updated" | "limit_source.deleted" | "payment_event.updated" | "payment_source.created" | "payment_source.updated" | "payment_source.deleted" | "referral_program.created" | "referral_program.updated" | "referral_program.deleted" | "reward.released" | "reward.refused" | "clock.set" | "customer.updated" | "customer.merged" | "customer.erased" | "identity.linked" | "identity.unlinked" | "balance.adjusted" | "order.priced" | "order.refunded" | "order.disputed" | "trial.overridden";
                            /** @description The key, SKU or id of what was changed. */
                            subject: string;
                            customer_id: string | null;
                            operation_id: string | null;
                            /** @description What there was before, under the names of its resource; null for nothing. */
                            before: {
                                [key: string]: unknown;
                            } | null;
                            /** @description What there was afterwards, under the names of its resource; null for nothing. */
                            after: {
                                [key: string]: unknown;
                            } | null;
                        }[];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    issueCustomerToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `customer_id` that `identify` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description What the customer may do; each needs a scope of your own: `orders` for `orders.create`, else `read`. */
                    abilities: ("wallet.read" | "balance.read" | "entries.read" | "catalog.read" | "quota.check" | "orders.read" | "orders.create")[];
                    /**
                     * @description How long it counts: a minute to a day; 15 minutes when left out.
                     * @default 900
                     */
                    ttl_seconds?: number | string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description A bearer token for the customer’s browser. */
                        token: string;
                        /** Format: uuid */
                        customer_id: string;
                        abilities: ("wallet.read" | "balance.read" | "entries.read" | "catalog.read" | "quota.check" | "orders.read" | "orders.create")[];
                        /**
                         * Format: date-time
                         * @description As was asked, or earlier: when the API key ends that issued it.
                         */
                        expires_at: string;
                    };
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                /** @description How many rows at most; 50 when left out. */
                limit?: number;
                /** @description `next_cursor` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Newest first, by `created_at` and `id`. */
                        data: components["schemas"]["ApiKey"][];
                        /** @description Send it as `cursor` for the next page; null on the last one. */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description What it is for. */
                    name: string;
                    /** @description What it allows; only what your own token allows too. */
                    scopes: ("read" | "consume" | "orders" | "payments" | "grants" | "catalog" | "prices" | "events" | "admin")[];
                    /** @description When it ends; never when left out. */
                    expires_at?: (string) | null;
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        /**
                         * Format: uuid
                         * @description Whose idempotency keys it uses; a rotated key keeps it.
                         */
                        owner_id: string;
                        name: string;
                        scopes: ("read" | "consume" | "orders" | "payments" | "grants" | "catalog" | "prices" | "events" | "admin")[];
                        /** @description The key that made it. */
                        created_by: string;
                        /** Format: date-time */
                        created_at: string;
                        expires_at: string | null;
                        revoked_at: string | null;
                        /** @description To the hour. */
                        last_used_at: string | null;
                        /** @description The key itself, as it is sent. It is told only here: keep it. */
                        token: string;
                    };
                };
            };
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createApiKey` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createApiKey` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    rotateApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` that `createApiKey` answered. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description For how long the old key counts beside the new one; a day when left out.
                     * @default 86400
                     */
                    overlap_seconds?: number | string;
                    /**
                     * @description `verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.
                     * @default problem
                     * @enum {string}
                     */
                    on_refusal?: "problem" | "verdict";
                    /** @description A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id: string;
                        /**
                         * Format: uuid
                         * @description Whose idempotency keys it uses; a rotated key keeps it.
                         */
                        owner_id: string;
                        name: string;
                        scopes: ("read" | "consume" | "orders" | "payments" | "grants" | "catalog" | "prices" | "events" | "admin")[];
                        /** @description The key that made it. */
                        created_by: string;
                        /** Format: date-time */
                        created_at: string;
                        expires_at: string | null;
                        revoked_at: string | null;
                        /** @description To the hour. */
                        last_used_at: string | null;
                        /** @description The key itself, as it is sent. It is told only here: keep it. */
                        token: string;
                    };
                };
            };
        };
    };
    proveInvariants: {
        parameters: {
            query?: {
                customer_id?: string;
                /** @description A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text). */
                user_id?: string | number;
                /** @description The id in the system of the provider; an integer is read as its digits. */
                external_id?: string | number;
                /** @description Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text). */
                provider?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        ok: boolean;
                        /** @description Rows looked at, by table. */
                        checked: {
                            [key: string]: number;
                        };
                        differences: {
                            check: string;
                            invariant: string;
                            customer_id: string | null;
                            subject: string;
                            expected: string;
                            actual: string;
                            detail: string;
                        }[];
                        /** @description Whether there are more differences than listed. */
                        has_more: boolean;
                    };
                };
            };
        };
    };
    getClock: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        now: string;
                        /** @description Whether it was set by hand: then it stands still. */
                        is_set: boolean;
                    };
                };
            };
        };
    };
    putClock: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description To this instant. */
                    now?: string;
                    /**
                     * Format: duration
                     * @description By so much; months and years are calendar steps.
                     */
                    advance?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        now: string;
                        /** @description Whether it was set by hand: then it stands still. */
                        is_set: boolean;
                        /** @description Whether it is where it was to go; else send the same instant again. */
                        complete: boolean;
                        /** @description Instants at which something fell due on the way. */
                        steps: number;
                    };
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description By name. */
                        data: {
                            name: string;
                            /** @description From the end of a run to the next. */
                            interval_s: number;
                            /** @description Null where the configuration leaves the job out. What is past is under way, or late. */
                            next_due_at: string | null;
                            /** @description For how long its oldest work is due, as of its last look; 0 when nothing is. */
                            lag_s: number;
                            /** @description Whether that is longer than it should be. */
                            is_late: boolean;
                            /** @description The process that runs it now: host, pid and an id. */
                            holder: string | null;
                            /** @description Runs that ended, by whichever process. */
                            runs: number;
                            /** @description Runs that failed since the last one that did not. */
                            failures: number;
                            last_started_at: string | null;
                            last_ended_at: string | null;
                            /** @description What the last run that failed met, however long ago. The log says more. */
                            last_error: {
                                /** Format: date-time */
                                at: string;
                                message: string;
                            } | null;
                        }[];
                    };
                };
            };
        };
    };
    importCatalog: {
        parameters: {
            query?: {
                /** @description Whether the import is only tried: the answer is the same, and nothing is written. */
                dry_run?: boolean;
                /** @description Allows to raise a unit cost or remove a feature while customers hold units. */
                force?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    products?: {
                        product_key: string;
                        name: string;
                        /** @default  */
                        description?: string;
                        /**
                         * @description `quantity` is counted and used up; `period` gives access for a time; `unlimited` gives access without counting.
                         * @enum {string}
                         */
                        type: "quantity" | "period" | "unlimited" | "metered";
                        /**
                         * @description Whether offers may be priced in this product.
                         * @default false
                         */
                        is_currency?: boolean;
                        /**
                         * @description An inactive product is neither sold nor granted; units already held stay spendable.
                         * @default true
                         */
                        is_active?: boolean;
                        features?: (string | {
                            feature: string;
                            /** @default 1 */
                            unit_cost?: number;
                        })[];
                        /** @default null */
                        low_balance_threshold?: number | null;
                        /**
                         * @description So many days before a batch ends `batch.expiring` is told; of batches that are made from now on.
                         * @default null
                         */
                        expiring_days?: number | null;
                        /**
                         * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                         * @default {}
                         */
                        metadata?: {
                            [key: string]: unknown;
                        };
                        /** @description Of one that is new: when it was made. */
                        created_at?: string;
                    }[];
                    offers?: {
                        sku: string;
                        name: string;
                        /** @default  */
                        description?: string;
                        /**
                         * @description A URL.
                         * @default null
                         */
                        image?: string | null;
                        price: string;
                        /** @description A currency code, XTR, or the key of a currency product. */
                        currency: string;
                        /** @default true */
                        is_active?: boolean;
                        /** @default false */
                        is_trial?: boolean;
                        /** @default null */
                        trial_policy?: {
                            /**
                             * @default any
                             * @enum {string}
                             */
                            scope?: "any" | "offer";
                        } | null;
                        /**
                         * @description Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override.
                         * @default null
                         */
                        trial_eligible?: boolean | null;
                        /** @default null */
                        recurrence?: {
                            /** @enum {string} */
                            unit: "hours" | "days" | "weeks" | "months" | "years";
                            count: number;
                        } | null;
                        /** @description Of a plan: customers have one subscription per group; `default` when left out. */
                        plan_group?: string | null;
                        /** @default null */
                        plan?: {
                            /**
                             * @description How long the plan is free at first, once for each person; null where it is not.
                             * @default null
                             */
                            trial_period?: {
                                /** @enum {string} */
                                unit: "hours" | "days" | "weeks" | "months" | "years";
                                count: number;
                            } | null;
                            /**
                             * @description How often a period allocates its units, such as each month of a yearly plan; null where once, at its beginning. All are there from the beginning of the period, each valid from its own instant; access is given once. Shorter than the recurrence, and of months a whole part of it.
                             * @default null
                             */
                            grant_every?: {
                                /** @enum {string} */
                                unit: "hours" | "days" | "weeks" | "months" | "years";
                                count: number;
                            } | null;
                            /**
                             * @description What of the units that end with a period, or with an allocation of it, goes over into the next one: nothing, at most `rollover_cap` of each product, or all.
                             * @default none
                             * @enum {string}
                             */
                            rollover?: "none" | "cap" | "all";
                            /**
                             * @description Of `cap` alone.
                             * @default null
                             */
                            rollover_cap?: number | null;
                            /**
                             * @description So many days behind the end of a period a payment still continues it.
                             * @default 0
                             */
                            grace_days?: number;
                            /**
                             * @description Whether access lasts through the days of grace.
                             * @default false
                             */
                            grace_access?: boolean;
                        } | null;
                        /**
                         * @description How many of it a customer may have, each of its quantity one; null for any number. Orders that wait for a payment count, refunded and cancelled ones do not.
                         * @default null
                         */
                        max_per_customer?: number | null;
                        /** @default [] */
                        items?: {
                            product_key: string;
                            /** @default 1 */
                            quantity?: number;
                            /**
                             * @description The unit of the validity; `forever` has no value.
                             * @default forever
                             * @enum {string}
                             */
                            period_unit?: "hours" | "days" | "months" | "years" | "forever";
                            /** @default null */
                            period_value?: number | null;
                            /**
                             * @description Batches of lower priority are used first.
                             * @default 0
                             */
                            priority?: number;
                            /**
                             * @description Whether new access begins when the present one ends, or at once. Access extends by default.
                             * @enum {string}
                             */
                            stacking?: "extend" | "parallel";
                        }[];
                        /**
                         * @description Free JSON of the caller; at most 16384 bytes and 8 levels.
                         * @default {}
                         */
                        metadata?: {
                            [key: string]: unknown;
                        };
                        /** @description Of one that is new: when it was made. */
                        created_at?: string;
                    }[];
                    /** @description Taken without effect: an import may be repeated as it is. */
                    idempotency_key?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogImport"];
                };
            };
        };
    };
    receivePayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "received": true
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description It is stored.
                         * @enum {boolean}
                         */
                        received?: true;
                        /** @description Of Telegram: the call that this answer is. */
                        method?: string;
                        pre_checkout_query_id?: string;
                        /** @description Whether the charge may be made. */
                        ok?: boolean;
                        /** @description Why not, for who would pay. */
                        error_message?: string;
                    };
                };
            };
        };
    };
    receiveGenericPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Yours to choose. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "received": true
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description It is stored.
                         * @enum {boolean}
                         */
                        received?: true;
                        /** @description Of Telegram: the call that this answer is. */
                        method?: string;
                        pre_checkout_query_id?: string;
                        /** @description Whether the charge may be made. */
                        ok?: boolean;
                        /** @description Why not, for who would pay. */
                        error_message?: string;
                    };
                };
            };
        };
    };
    reconcilePayments: {
        parameters: {
            query: {
                /** @description Under which the provider’s charges are payments here. */
                payment_method: string;
                /** @description With `until`: charges that were first told here from this instant on should be in the list. */
                from?: string;
                /** @description And before this one. */
                until?: string;
                /** @description Has what is missing here come in as if the provider had told it. */
                apply?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    charges: {
                        /** @description The provider’s id of the charge. */
                        payment_id: string | number;
                        amount: string;
                        currency: string;
                        /** @description `paid` or `succeeded`: money came. Any other: it did not. */
                        status: string;
                        /** @description The id of the order here, where the list has it. */
                        order_id?: string;
                    }[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        payment_method: string;
                        /** @description How many the list has, each counted once. */
                        charges: number;
                        matched: number;
                        /** @description Paid there, and never told here, or only that it failed; the first 1,000 of them. */
                        missing_here: {
                            count: number;
                            data: {
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                                order_id: string | null;
                            }[];
                        };
                        /** @description Null where no span was named. */
                        missing_there: {
                            count: number;
                            data: {
                                payment_id: string;
                                amount: string | null;
                                currency: string | null;
                                order_id: string | null;
                            }[];
                        } | null;
                        /** @description Both sides have them, but otherwise; the first 1,000. */
                        differing: {
                            count: number;
                            data: {
                                payment_id: string;
                                /** Format: uuid */
                                order_id: string;
                                there: {
                                    amount: string;
                                    currency: string;
                                    paid: boolean;
                                };
                                here: {
                                    amount: string | null;
                                    currency: string | null;
                                    status: string;
                                };
                            }[];
                        };
                        /** @description How many came into the inbox now; null unless `apply` is true. */
                        applied: number | null;
                    };
                };
            };
        };
    };
}
