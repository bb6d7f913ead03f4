// What a call throws: a problem that Bursar answered, or that it could not be reached. Refusals are no errors but values.
import type { ProblemCode } from './call.js';

interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

/** What is known of an answer that is a problem. */
export interface ProblemFacts {
  status: number;
  problem: Readonly<Record<string, unknown>>;
  requestId: string | undefined;
  retryAfterS: number | undefined;
  idempotencyKey: string | undefined;
}

/** Problem details that Bursar answered: branch on `code`. */
export class BursarProblem extends Error {
  override readonly name = 'BursarProblem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  /** The places at fault. */
  readonly errors: readonly FieldError[];
  /** The first place at fault: a JSON pointer into the body, or `query/<name>`, `path/<name>`, `header/<name>`. */
  readonly pointer: string | undefined;
  /** Under which the service's log has the request. */
  readonly requestId: string | undefined;
  /** Seconds. */
  readonly retryAfterS: number | undefined;
  /** The key under which the call was sent: sent again with it, it has no second effect. */
  readonly idempotencyKey: string | undefined;
  /** All members, those of its code included. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor({ status, problem, requestId, retryAfterS, idempotencyKey }: ProblemFacts) {
    const code = String(problem.code);
    const detail = String(problem.detail ?? problem.title ?? '');
    const errors = Array.isArray(problem.errors) ? (problem.errors as FieldError[]) : [];
    const places = errors.map((each) => `${each.pointer} ${each.message}`).join('; ');
    super(`${status} ${code}: ${detail}${places && ` (${places})`}`);
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.errors = errors;
    this.pointer = errors[0]?.pointer;
    this.requestId = requestId;
    this.retryAfterS = retryAfterS;
    this.idempotencyKey = idempotencyKey;
    this.problem = problem;
  }
}

/** No answer came from Bursar, or one that is not of Bursar. Whether a write was carried out is not known: send it again with `idempotencyKey`. */
export class BursarUnreachable extends Error {
  override readonly name = 'BursarUnreachable';
  /** The status of what answered in Bursar's place. */
  readonly status: number | undefined;
  readonly idempotencyKey: string | undefined;

  constructor(
    message: string,
    more: { cause?: unknown; status?: number | undefined; idempotencyKey?: string | undefined },
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = more.status;
    this.idempotencyKey = more.idempotencyKey;
  }
}

/** Whether an error says that Bursar is out of reach for the moment, and not that the call is wrong. */
export function isOutage(error: unknown): boolean {
  if (error instanceof BursarProblem) return error.status >= 500;
  return error instanceof BursarUnreachable && (error.status === undefined || error.status >= 500);
}
