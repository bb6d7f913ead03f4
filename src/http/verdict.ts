// Refusals as verdicts: for workflows that branch on a field instead of a status, a refusal is answered 200 with `allowed: false`. Every POST with a token
// that can be refused offers it, by its declaration.
import { z } from 'zod';
import type { RecordedAnswer } from '../call.js';
import { AppError } from '../errors/app-error.js';
import { catalogue, type ErrorCode } from '../errors/catalogue.js';
import { toWireNames } from '../lib/wire-names.js';
import { verdictAnswer } from '../schemas/verdict.js';

/** Statuses of refusals: the request was understood, and the answer is no. */
const REFUSAL_STATUSES: readonly number[] = [402, 409, 429];

/** An answer; with a code it is a refusal. */
export interface Verdict extends RecordedAnswer {
  code?: ErrorCode;
}

/** Whether a code is that of a refusal, as opposed to an error: of a request that was looked at. */
export function isRefusal(code: ErrorCode): boolean {
  return code !== 'rate_limited' && REFUSAL_STATUSES.includes(catalogue[code].status);
}

/** Runs `work`; with `verdict` a refusal becomes an answer. */
export async function withVerdict<T>(
  onRefusal: 'problem' | 'verdict' | undefined,
  work: () => Promise<T> | T,
): Promise<T | Verdict> {
  try {
    return await work();
  } catch (error) {
    if (onRefusal !== 'verdict' || !(error instanceof AppError) || !isRefusal(error.code)) throw error;
    return { status: 200, body: JSON.stringify(toVerdict(error)), replayed: false, code: error.code };
  }
}

/** The answers of a route, verdicts among those of 200. */
export function withVerdicts(responses: Record<number, z.ZodType>): Record<number, z.ZodType> {
  const { 200: success } = responses;
  return { ...responses, 200: success ? z.union([success, verdictAnswer]) : verdictAnswer };
}

/** A refusal as the members of an answer. */
export function toVerdict({ code, message, errors, extensions }: AppError) {
  const { title } = catalogue[code];
  return {
    allowed: false as const,
    code,
    title,
    detail: message,
    ...(errors.length > 0 && { errors }),
    ...toWireNames(extensions),
  };
}
