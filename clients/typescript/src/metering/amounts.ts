// How much to hold, and how much was used. Nothing here makes a number of what is none, and nothing is rounded.
import { type ChargeSettings, isQuantity, nameOf } from './settings.js';

/** An estimate that is no whole number from 1, or beyond what the header may ask for; `isOfCaller` when he sent it. */
export class EstimateInvalid extends Error {
  override readonly name = 'EstimateInvalid';
  constructor(
    message: string,
    readonly isOfCaller: boolean,
  ) {
    super(message);
  }
}

/** What was used can't be said: it is missing, or no whole number from 0. */
export class UsageUnknown extends Error {
  override readonly name = 'UsageUnknown';
}

/** How much to hold. Throws: EstimateInvalid, and what a function throws. */
export async function estimateOf<Request>(
  charge: ChargeSettings<Request>,
  request: Request,
  headerOf: (name: string) => string | undefined,
): Promise<number> {
  const { estimate } = charge;
  if (typeof estimate === 'number') return estimate;
  if (typeof estimate === 'function') {
    const amount = await estimate(request);
    if (isQuantity(amount, 1)) return amount;
    throw new EstimateInvalid(`the estimate of ${nameOf(charge)} is no whole number from 1: ${show(amount)}`, false);
  }
  const { header, min, max, otherwise } = estimate;
  const text = headerOf(header)?.trim();
  if (text === undefined && otherwise !== undefined) return otherwise;
  const amount = text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  if (amount <= max) return Math.max(min, amount);
  throw new EstimateInvalid(`${header} must be a whole number from 1 to ${max}`, true);
}

/** How much was used. Throws: UsageUnknown, also for what a function throws. */
export async function usageOf<Request>(
  charge: ChargeSettings<Request>,
  told: number | undefined,
  answer: unknown,
  request: Request,
): Promise<number> {
  if (told !== undefined) return told;
  const { usage } = charge;
  const name = nameOf(charge);
  if (usage === 'handler') throw new UsageUnknown(`the handler told no usage of ${name}`);
  const [amount, where] =
    typeof usage === 'function'
      ? [await callUsage(usage, answer, request, name), 'its function']
      : [readField(answer, usage.field), `the field ${usage.field} of the answer`];
  if (isQuantity(amount, 0)) return amount;
  throw new UsageUnknown(`the usage of ${name} is no whole number from 0: ${where} has ${show(amount)}`);
}

async function callUsage<Request>(
  usage: (answer: unknown, request: Request) => unknown,
  answer: unknown,
  request: Request,
  name: string,
): Promise<unknown> {
  try {
    return await usage(answer, request);
  } catch (cause) {
    throw new UsageUnknown(`the function for the usage of ${name} failed`, { cause });
  }
}

function readField(answer: unknown, field: string): unknown {
  let value = answer;
  for (const name of field.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

const SHOWN_MAX = 60;

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return (typeof value === 'string' ? JSON.stringify(value) : String(value)).slice(0, SHOWN_MAX);
}
