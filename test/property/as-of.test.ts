// as_of as a property: whatever happened to a wallet, what was answered at an instant is answered again as of it. No model is needed; the
// earlier answers are the oracle.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, type Json, putProduct, useTestApp } from '../support/app.js';
import { propertyRun } from './seeds.js';

const SEQUENCES = 20;
const COMMANDS = { minLength: 10, maxLength: 25, size: 'max' } as const;
const TIMEOUT_MS = 600_000;
const HOUR_S = 3_600;

const READS = [
  '/wallet?',
  '/wallet/batches?limit=200&',
  '/wallet/batches?limit=200&state=active&',
  '/balance?product_key=STAR&',
  '/balance?feature=draw&',
];

/** Kinds of entries without which the sequences would be about too little. */
const KINDS = [
  'grant',
  'consume',
  'expire',
  'revoke',
  'hold',
  'release',
  'commit',
  'reverse',
  'debt',
  'repay',
  'forgive',
];

interface Command {
  kind:
    | 'grant'
    | 'use'
    | 'hold'
    | 'commit'
    | 'release'
    | 'extend'
    | 'give back'
    | 'overdraw'
    | 'take away'
    | 'sweep'
    | 'wait';
  product: 'STAR' | 'GEM' | 'PASS';
  isFeature: boolean;
  amount: number;
  startsInH: number;
  lastsH: number;
  /** Which of the earlier reservations or operations is meant. */
  which: number;
  waitMs: number;
}

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Command['kind'][]>(
      'grant',
      'grant',
      'grant',
      'use',
      'use',
      'hold',
      'hold',
      'commit',
      'commit',
      'release',
      'extend',
      'give back',
      'give back',
      'overdraw',
      'take away',
      'sweep',
      'wait',
    ),
    product: fc.constantFrom<Command['product'][]>('STAR', 'STAR', 'STAR', 'GEM', 'PASS'),
    isFeature: fc.boolean(),
    amount: fc.integer({ min: 1, max: 12 }),
    startsInH: fc.constantFrom(0, 0, 0, 2),
    lastsH: fc.integer({ min: 0, max: 6 }),
    which: fc.nat(4),
    waitMs: fc.oneof(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 4 }).map((hours) => hours * HOUR_S * 1_000),
    ),
  }),
  COMMANDS,
);

const app = useTestApp();
let people = 0;

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, features: [{ feature: 'draw', unit_cost: 3 }] });
  await putProduct(app, 'GEM', {
    features: [
      { feature: 'draw', unit_cost: 2 },
      { feature: 'film', unit_cost: 5 },
    ],
  });
  await putProduct(app, 'PASS', { type: 'period', features: ['film'] });
});

async function inject(method: 'GET' | 'POST', path: string, payload?: Json): Promise<{ status: number; body: Json }> {
  const headers = { authorization: `Bearer ${API_TOKEN}` };
  const answer = await app.app.inject({ method, url: `${BASE_PATH}${path}`, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
}

/** One person, and what was answered about him after each command. */
class Life {
  readonly external_id: string;
  readonly moments: { at: string; answers: unknown[] }[] = [];
  readonly operations: string[] = [];
  readonly reservations: string[] = [];

  constructor() {
    people += 1;
    this.external_id = `person ${people}`;
  }

  read(asOf?: string): Promise<unknown[]> {
    const moment = asOf === undefined ? '' : `&as_of=${asOf}`;
    return Promise.all(
      READS.map(async (path) => {
        const { status, body } = await inject(
          'GET',
          `${path}external_id=${encodeURIComponent(this.external_id)}${moment}`,
        );
        expect(status, JSON.stringify(body)).toBe(200);
        return body;
      }),
    );
  }

  async run(command: Command): Promise<void> {
    if (command.kind === 'sweep') await sweep(app.deps);
    else if (command.kind !== 'wait') await this.send(...this.requestOf(command));
    this.moments.push({ at: app.clock.now().toISOString(), answers: await this.read() });
    app.clock.advance({ ms: command.waitMs });
    this.moments.push({ at: app.clock.now().toISOString(), answers: await this.read() });
    app.clock.advance({ ms: 1 });
  }

  /** A refusal is as good as anything else: the ledger stays as it was. */
  private async send(path: string, body: Json): Promise<void> {
    const named = path.endsWith('/commit') ? {} : { external_id: this.external_id };
    const { status, body: answer } = await inject('POST', path, { ...named, ...body });
    expect(status, JSON.stringify(answer)).toBeLessThan(500);
    if (typeof answer.operation_id === 'string') this.operations.push(answer.operation_id);
    if (path === '/reservations' && typeof answer.id === 'string') this.reservations.push(answer.id);
  }

  private requestOf({ kind, product, isFeature, amount, startsInH, lastsH, which }: Command): [string, Json] {
    const inHours = (hours: number) => new Date(app.clock.now().getTime() + hours * HOUR_S * 1_000).toISOString();
    const subject = isFeature ? { feature: which % 2 === 0 ? 'draw' : 'film' } : { product_key: product };
    const unknown = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
    const latest = (ids: readonly string[]) => ids.at(-1 - (which % Math.max(1, ids.length))) ?? unknown;
    const reservation = latest(this.reservations);
    const part = Math.ceil(amount / 4);
    switch (kind) {
      case 'grant': {
        const ends = lastsH === 0 ? {} : { expires_at: inHours(startsInH + lastsH) };
        const starts = startsInH === 0 ? {} : { valid_from: inHours(startsInH) };
        const quantity = product === 'PASS' ? 1 : amount;
        return [
          '/grants',
          { grant_type: 'bonus', product_key: product, quantity, priority: which - 2, ...starts, ...ends },
        ];
      }
      case 'take away':
        return [
          '/grants',
          { grant_type: 'adjustment', direction: 'debit', product_key: 'STAR', quantity: amount, reason: 'x' },
        ];
      case 'use':
        return ['/quota/consume', { ...subject, amount }];
      case 'hold':
        return ['/reservations', { ...subject, amount: part, ttl_seconds: (1 + lastsH) * HOUR_S }];
      case 'commit':
        return [`/reservations/${reservation}/commit`, { amount: isFeature ? amount : part, allow_excess: isFeature }];
      case 'release':
        return [`/reservations/${reservation}/release`, {}];
      case 'extend':
        return [`/reservations/${reservation}/extend`, { ttl_seconds: (1 + lastsH) * HOUR_S }];
      case 'give back':
        return ['/quota/release', { operation_id: latest(this.operations), ...(isFeature ? {} : { amount: part }) }];
      default:
        return ['/credits/deduct', { product_key: 'STAR', amount, allow_negative: true }];
    }
  }
}

describe('as_of', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('answers as it was answered then', { timeout }, async () => {
    const property = fc.asyncProperty(commands, async (steps) => {
      const life = new Life();
      await inject('POST', '/identify', { external_id: life.external_id });
      for (const command of steps) await life.run(command);
      for (const { at, answers } of life.moments) expect({ at, answers: await life.read(at) }).toEqual({ at, answers });
    });
    await fc.assert(property, parameters);
    const kinds = await app.deps.db.query<{ kind: string }>('SELECT DISTINCT kind FROM entries');
    if (isWhole) expect(kinds.map(({ kind }) => kind).sort()).toEqual([...KINDS].sort());
  });
});
