// The one error type that services and the ledger throw: a stable code, a sentence for people, and what the caller needs to mend it.
// It knows no HTTP status; the catalogue maps the code.
import type { ErrorCode } from './catalogue.js';

/**
 * One faulty place in a request. `pointer` is an RFC 6901 JSON pointer into the body, or `query/<name>`, `path/<name>`, `header/<name>`, or
 * `record/<number>/<column>` of a CSV file.
 */
export interface FieldError {
  pointer: string;
  code: string;
  message: string;
  /** Of a file: the line on which the record begins, its number among those of its kind, and the column; lines and records from 1. */
  line?: number;
  record?: number;
  column?: string;
}

export interface AppErrorOptions {
  /** The place in the request that is at fault. */
  pointer?: string;
  errors?: FieldError[];
  /** What the caller is told beside, by our own names; the members of the problem, typed per code in the schemas. */
  extensions?: Record<string, unknown>;
  /** Seconds after which a retry makes sense (sent as Retry-After). */
  retryAfterS?: number;
  cause?: unknown;
}

/** A refusal or failure with a code of the catalogue. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly extensions: Record<string, unknown>;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.errors =
      options.errors ?? (options.pointer === undefined ? [] : [{ pointer: options.pointer, code, message: detail }]);
    this.extensions = options.extensions ?? {};
    this.retryAfterS = options.retryAfterS;
  }
}
