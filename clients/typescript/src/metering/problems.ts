// Answers of the meter itself, as problem details: refusals of Bursar are passed on with what would help.
import type { Refusal } from '../call.js';

/** An answer in place of the handler's. */
export interface ProblemAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

const TITLES = {
  unauthenticated: [401, 'Nobody is signed in'],
  invalid_estimate: [400, 'The estimate is not valid'],
  metering_failed: [500, 'What this costs can not be told'],
  metering_unavailable: [503, 'What this costs can not be booked at the moment'],
} as const;

const RETRY_AFTER_S = 2;

export function ownProblem(code: keyof typeof TITLES, detail: string): ProblemAnswer {
  const [status, title] = TITLES[code];
  const answer = toAnswer(status, { type: 'about:blank', title, status, detail, code });
  return status === 503 ? { ...answer, headers: { ...answer.headers, 'retry-after': String(RETRY_AFTER_S) } } : answer;
}

/** A refusal with its reasons, violations and offers; without what names the customer or the request at Bursar. */
export function refusalProblem(refusal: Refusal): ProblemAnswer {
  const { instance: _instance, errors: _errors, allowed: _allowed, ...members } = refusal.problem;
  const answer = toAnswer(refusal.status, members);
  if (refusal.retryAfterS === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(refusal.retryAfterS) } };
}

function toAnswer(status: number, members: object): ProblemAnswer {
  return { status, headers: { 'content-type': 'application/problem+json' }, body: JSON.stringify(members) };
}
