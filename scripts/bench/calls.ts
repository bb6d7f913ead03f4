// Calls of the API one by one, for what is measured of whole requests rather than of a rate; and the memory of the process that answers them.
import { BASE_PATH } from './job.js';
import { residentBytes, type Service } from './processes.js';

const LOOK_MS = 200;
const MIB = 1_048_576;

/** What a call is answered, which has to be a success. */
export async function call(
  { url, token }: Service,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}${BASE_PATH}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/** Runs `work` and returns with its result the resident memory of a process meanwhile, in MiB, looked at again and again. */
export async function sampleMemory<T>(pid: number, work: () => Promise<T>): Promise<{ result: T; memory: number[] }> {
  const memory: number[] = [];
  const timer = setInterval(() => memory.push((residentBytes(pid) ?? Number.NaN) / MIB), LOOK_MS);
  try {
    return { result: await work(), memory };
  } finally {
    clearInterval(timer);
  }
}

/** A third of samples after the other. */
export function thirdsOf(samples: readonly number[]): number[][] {
  const size = Math.ceil(samples.length / 3);
  return [0, 1, 2].map((at) => samples.slice(at * size, (at + 1) * size));
}
