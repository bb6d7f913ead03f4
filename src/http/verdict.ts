// Refusals as verdicts: for workflows that branch on a field instead of a status, a refusal is answered 200 with `allowed: false`.
import type { RecordedAnswer } from '../call.js';
import { AppError } from '../errors/app-error.js';
import { catalogue } from '../errors/catalogue.js';
import { toWireNames } from './wire-names.js';

/** Statuses of refusals: the request was understood, and the answer is no. */
const REFUSAL_STATUSES: readonly number[] = [402, 409, 429];

/** Runs `work`; with `verdict` a refusal becomes an answer. */
export async function withVerdict(
  onRefusal: 'problem' | 'verdict',
  work: () => Promise<RecordedAnswer>,
): Promise<RecordedAnswer> {
  try {
    return await work();
  } catch (error) {
    const isRefusal = error instanceof AppError && REFUSAL_STATUSES.includes(catalogue[error.code].status);
    if (onRefusal !== 'verdict' || !isRefusal) throw error;
    return { status: 200, body: JSON.stringify(toVerdict(error)), replayed: false };
  }
}

/** A refusal as the members of an answer. */
export function toVerdict({ code, message, errors, extensions }: AppError) {
  const { title } = catalogue[code];
  return {
    allowed: false,
    code,
    title,
    detail: message,
    ...(errors.length > 0 && { errors }),
    ...toWireNames(extensions),
  };
}
