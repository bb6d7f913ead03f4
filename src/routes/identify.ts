// Who is this?
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { identifyAnswer, identifyBody } from '../schemas/identify.js';
import { identify } from '../services/identify.js';

export function registerIdentify(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/identify',
    operationId: 'identify',
    summary: 'Find or create the customer behind an identity',
    description:
      'Call it whenever somebody appears. A profile is merged into what is known; leaving it out changes nothing.',
    tag: 'customers',
    access: 'consume',
    body: identifyBody,
    responses: { 200: identifyAnswer },
    problems: [],
    handler: ({ body, call }) =>
      identify(
        deps,
        {
          identity: { provider: body.provider, externalId: body.external_id },
          profile: body.profile ?? undefined,
        },
        call,
        (result) => ({
          status: 200,
          body: renderJson(identifyAnswer, {
            customer_id: result.customerId,
            identity_id: result.identityId,
            provider: result.provider,
            external_id: result.externalId,
            created_customer: result.isNewCustomer,
            created_identity: result.isNewIdentity,
            trial_eligible: result.isTrialEligible,
            metadata: result.profile,
          }),
        }),
      ),
  });
}
