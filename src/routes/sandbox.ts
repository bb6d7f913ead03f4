// The test clock; its routes are there in a sandbox only.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { clockAnswer, clockMovedAnswer, putClockBody } from '../schemas/sandbox.js';
import { type ClockCommand, getClock, moveClock } from '../services/sandbox.js';

export function registerSandbox(app: FastifyInstance, deps: Deps): void {
  if (!deps.config.isSandbox) return;

  defineRoute(app, {
    method: 'GET',
    url: '/sandbox/clock',
    operationId: 'getClock',
    summary: 'Read the test clock',
    description: 'With `BURSAR_SANDBOX=true` only.',
    tag: 'operations',
    access: 'admin',
    responses: { 200: clockAnswer },
    problems: [],
    handler: async () => {
      const { now, isSet } = await getClock(deps);
      return { status: 200, body: { now, is_set: isSet } };
    },
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/sandbox/clock',
    operationId: 'putClock',
    summary: 'Set the test clock forward',
    description:
      'With `BURSAR_SANDBOX=true` only. From then on it stands still, for all processes on the database. On the way it stops wherever something falls due, at most 10,000 times a call.',
    tag: 'operations',
    access: 'admin',
    body: putClockBody,
    responses: { 200: clockMovedAnswer },
    problems: ['clock_backwards'],
    handler: async ({ body, call }) => {
      const command = (body.now ? { now: body.now } : { advance: body.advance }) as ClockCommand;
      const { now, isSet, isComplete, steps } = await moveClock(deps, command, call.actor);
      return { status: 200, body: { now, is_set: isSet, complete: isComplete, steps } };
    },
  });
}
