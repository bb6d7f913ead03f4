// Referral programmes: what each side of a referral is promised.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import type { ReferralProgram } from '../ledger/reward-entities.js';
import { programAnswer, programParams, programsAnswer, putProgramBody } from '../schemas/rewards.js';
import {
  deleteReferralProgram,
  getReferralProgram,
  getReferralPrograms,
  type ProgramTerms,
  putReferralProgram,
} from '../services/referral-programs.js';

export function registerReferralPrograms(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/referral-programs',
    operationId: 'listReferralPrograms',
    summary: 'List referral programmes',
    tag: 'referrals',
    access: 'read',
    responses: { 200: programsAnswer },
    problems: [],
    handler: async () => ({ status: 200, body: { data: (await getReferralPrograms(deps)).map(toProgramView) } }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/referral-programs/:key',
    operationId: 'getReferralProgram',
    summary: 'Get a referral programme',
    tag: 'referrals',
    access: 'read',
    params: programParams,
    responses: { 200: programAnswer },
    problems: ['referral_program_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toProgramView(await getReferralProgram(deps, params.key)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/referral-programs/:key',
    operationId: 'putReferralProgram',
    summary: 'Promise something to who brings somebody, and to who is brought',
    description:
      'Of several programmes with one trigger the first by key counts. What was earned before keeps the terms that it was earned on.',
    tag: 'referrals',
    access: 'catalog',
    params: programParams,
    body: putProgramBody,
    responses: { 200: programAnswer, 201: programAnswer },
    problems: ['offer_not_found', 'offer_inactive', 'product_inactive', 'too_many_referral_programs'],
    handler: async ({ params, body, call }) => {
      const { program, isNew } = await putReferralProgram(deps, toTerms(params.key, body), call.actor);
      const view = toProgramView(program);
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/referral-programs/:key',
    operationId: 'deleteReferralProgram',
    summary: 'Promise nothing more',
    description: 'What was earned before is granted in its time.',
    tag: 'referrals',
    access: 'catalog',
    params: programParams,
    responses: { 204: z.undefined() },
    problems: ['referral_program_not_found'],
    handler: async ({ params, call }) => {
      await deleteReferralProgram(deps, params.key, call.actor);
      return { status: 204, body: undefined };
    },
  });
}

function toTerms(key: string, body: z.output<typeof putProgramBody>): ProgramTerms {
  const { description, trigger, referrer, referee, from, until } = body;
  return {
    key,
    description,
    trigger,
    referrerSku: referrer?.sku ?? null,
    referrerQuantity: referrer?.quantity ?? null,
    refereeSku: referee?.sku ?? null,
    refereeQuantity: referee?.quantity ?? null,
    holdDays: body.hold_days,
    maxRewardsPerReferrer: body.max_rewards_per_referrer,
    startsAt: from,
    endsAt: until,
    clawsBack: body.claw_back,
  };
}

function toEarned(sku: string | null, quantity: number | null) {
  return sku === null || quantity === null ? null : { sku, quantity };
}

function toProgramView(program: ReferralProgram) {
  return {
    key: program.key,
    description: program.description,
    trigger: program.trigger,
    referrer: toEarned(program.referrerSku, program.referrerQuantity),
    referee: toEarned(program.refereeSku, program.refereeQuantity),
    hold_days: program.holdDays,
    max_rewards_per_referrer: program.maxRewardsPerReferrer,
    from: program.startsAt,
    until: program.endsAt,
    claw_back: program.clawsBack,
    created_at: program.createdAt,
    updated_at: program.updatedAt,
  };
}
