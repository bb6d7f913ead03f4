// Compares every answer of an app under test with what its route declares: statuses, problem codes, extension members, the schema of the body.
// What is sent as recorded text passes no serialiser, so this is where it is checked.
import { isDeepStrictEqual } from 'node:util';
import { afterEach, expect } from 'vitest';
import type { AppOptions, GivenAnswer } from '../../src/app.js';
import { catalogue, type ErrorCode } from '../../src/errors/catalogue.js';
import { problemExtensions, problemMembers, problemSchema } from '../../src/schemas/problem.js';

/** What may be answered where no declared route is: the path or method is unknown, or it is the documentation, or a file of it. */
const codesWithoutRoute: readonly ErrorCode[] = [
  ...(['route_not_found', 'method_not_allowed', 'malformed_url', 'invalid_request', 'unauthenticated'] as const),
  ...(['path_not_allowed', 'precondition_failed', 'range_not_satisfiable'] as const),
];
const PROBLEM_STATUS_LEAST = 400;

/** Options for buildApp that make each test of the calling file fail whose app gave an answer that its route does not declare. */
export function failOnUndeclared(): Required<Pick<AppOptions, 'onAnswer'>> {
  const faults: string[] = [];
  afterEach(() => {
    expect(faults.splice(0), 'answers that their routes do not declare').toEqual([]);
  });
  return {
    onAnswer: (answer) => {
      const fault = findUndeclared(answer);
      if (fault !== undefined) faults.push(`${answer.method} ${answer.url} ${answer.status}: ${fault}`);
    },
  };
}

/** Says what about an answer its route does not declare; undefined when all is as declared. */
export function findUndeclared(answer: GivenAnswer): string | undefined {
  return answer.status >= PROBLEM_STATUS_LEAST ? findInProblem(answer) : findInSuccess(answer);
}

function findInProblem({ declared, status, contentType, body, method }: GivenAnswer): string | undefined {
  if (!/^application\/(?:problem\+)?json\b/.test(contentType)) return `a problem as ${contentType}`;
  if (method === 'HEAD') return undefined;
  const problem = problemSchema.safeParse(parse(body));
  if (!problem.success) return `not a problem: ${problem.error.message}`;
  const { code } = problem.data;
  if (catalogue[code].status !== status) return `${code} has another status in the catalogue`;
  if (!(declared?.problems ?? codesWithoutRoute).includes(code)) return `the problem ${code}`;
  const extension = problemExtensions[code]?.safeParse(problem.data);
  if (extension?.success === false) return `the members of ${code}: ${extension.error.message}`;
  const named = [...problemMembers, ...Object.keys(problemExtensions[code]?.shape ?? {})];
  const more = Object.keys(problem.data).filter((member) => !named.includes(member));
  return more.length > 0 ? `${more.join(', ')} of ${code}, which its schema does not name` : undefined;
}

function findInSuccess({ declared, status, contentType, body, method }: GivenAnswer): string | undefined {
  if (declared === undefined) return undefined;
  if (status === 200 && Object.hasOwn(declared.downloads, contentType.split(';')[0] ?? '')) return undefined;
  const schema = declared.responses[status];
  if (schema === undefined) return 'the status';
  if (method === 'HEAD') return undefined;
  const wire = parse(body);
  const decoded = schema.safeDecode(wire as never);
  if (!decoded.success) return `the body: ${decoded.error.message}`;
  const again = schema.encode(decoded.data);
  return isDeepStrictEqual(JSON.parse(JSON.stringify(again ?? null)), wire ?? null)
    ? undefined
    : `members that the schema does not name, or values in another form: ${String(body)}`;
}

function parse(body: unknown): unknown {
  return body === undefined || body === null || body === '' ? undefined : JSON.parse(String(body));
}
