// Writes docs/errors.md from the catalogue of problem codes; with --check it only compares, and exits 1 when the page is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { fileURLToPath } from 'node:url';
import { catalogue, type ErrorCode } from '../src/errors/catalogue.js';
import { problemExtensions } from '../src/schemas/problem.js';

const FILE = fileURLToPath(new URL('../docs/errors.md', import.meta.url));
const NAME = 'docs/errors.md';

const INTRODUCTION = `# Error codes

<!-- Generated from src/errors/catalogue.ts by \`npm run errors\`; edit that file. -->

Every refusal and failure is answered with problem details (RFC 9457). Branch on \`code\`: codes keep their name and meaning, while \`title\`
and \`detail\` are written for people and may change. \`instance\` holds the id that the request has here, always a new UUID, which
is in the log as \`request_id\`. The header \`X-Request-Id\` has the same, unless the caller sent an id of his own in it ([operations](operations.md#health-and-logs)).

\`\`\`json
{
  "type": "/problems/order_not_found",
  "title": "No such order",
  "status": 404,
  "detail": "There is no such order.",
  "instance": "urn:uuid:01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d",
  "code": "order_not_found",
  "errors": [{ "pointer": "path/id", "code": "order_not_found", "message": "There is no such order." }]
}
\`\`\`

\`errors\` names the places at fault, where there are some: a JSON pointer into the body (\`/items/0/sku\`), or \`query/…\`, \`path/…\`,
\`header/…\`. The media type is \`application/problem+json\`, or plain \`application/json\` for a client whose \`Accept\` names only that.

A refusal takes nothing and gives nothing. After a 5xx, or when no answer arrived, send the request again with the same idempotency key.
Which codes a route can answer is listed with the route in the API reference (\`/docs\`).
`;

/** The members that problems of this code have beside the common ones. */
function extensionsOf(code: ErrorCode): string {
  const members = Object.keys(problemExtensions[code]?.shape ?? {});
  return members.length === 0 ? '' : ` Adds ${members.map((member) => `\`${member}\``).join(', ')}.`;
}

function generate(): string {
  const codes = Object.keys(catalogue) as ErrorCode[];
  const statuses = [...new Set(codes.map((code) => catalogue[code].status))].sort((a, b) => a - b);
  const sections = statuses.map((status) => {
    const rows = codes
      .filter((code) => catalogue[code].status === status)
      .map(
        (code) =>
          `| <a id="${code}"></a>\`${code}\` | ${catalogue[code].title} | ${catalogue[code].remedy}${extensionsOf(code)} |`,
      );
    const heading = `## ${status} ${STATUS_CODES[status]}`;
    return `${[heading, '', '| code | meaning | what to do |', '|---|---|---|', ...rows].join('\n')}\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

const mode = process.argv[2];
if (process.argv.length > 3 || (mode !== undefined && mode !== '--check')) {
  console.error('usage: errors-doc.ts [--check]');
  process.exit(2);
}
const page = generate();
if (mode === undefined) {
  writeFileSync(FILE, page);
  console.log(`wrote ${NAME}`);
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== page) {
  console.error(`${NAME} is stale: run \`npm run errors\` and commit the result`);
  process.exit(1);
} else {
  console.log(`${NAME} is up to date`);
}
