// What the doctor found: of what, how it is, and what to do.
import { AppError } from '../../src/errors/app-error.js';
import { StartError } from '../../src/errors/start-error.js';

export interface Finding {
  verdict: 'ok' | 'warn' | 'FAIL' | 'skip';
  of: string;
  says: string;
}

const finding =
  (verdict: Finding['verdict']) =>
  (of: string, says: string): Finding => ({ verdict, of, says });

export const ok = finding('ok');
/** It works, but it should not stay so. */
export const warn = finding('warn');
/** A start is refused, or data are in danger. */
export const fail = finding('FAIL');
/** It could not be looked at. */
export const skip = finding('skip');

/** What a look finds that throws where something is wrong, as a start does. */
export async function looked(of: string, look: () => Promise<Finding | string>): Promise<Finding> {
  try {
    const found = await look();
    return typeof found === 'string' ? ok(of, found) : found;
  } catch (error) {
    const isTold = error instanceof StartError || error instanceof AppError;
    return fail(
      of,
      isTold ? error.message : `could not be looked at: ${error instanceof Error ? error.message : error}`,
    );
  }
}
