// The check of the documentation finds what it is there to find.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkCitations, checkDocument, checkRoutes, listDocuments } from '../../scripts/check-docs.js';

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'bursar-docs-'));
  mkdirSync(join(project, 'docs/adr'), { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ scripts: { start: '', verify: '' } }));
  writeFileSync(join(project, 'docs/other.md'), '# A `code` heading, twice\n\n# Twice\n\n# Twice\n');
});

afterEach(() => rmSync(project, { recursive: true }));

function check(text: string): string[] {
  writeFileSync(join(project, 'README.md'), text);
  return checkDocument(project, 'README.md');
}

it.each([
  ['[a](docs/none.md)', 'link leads nowhere: docs/none.md'],
  ['[a](../outside.md)', 'link leaves the project: ../outside.md'],
  ['[a](docs/other.md#none)', 'no such heading: docs/other.md#none'],
  ['[a](#none)', 'no such heading: #none'],
  ['[a]: docs/none.md', 'link leads nowhere: docs/none.md'],
  ['`docs/none.md`', 'no such file: `docs/none.md`'],
  ['`src/none.ts:12`', 'no such file: `src/none.ts:12`'],
  ['run `npm run none`', 'no such npm script: none'],
  ['```\nnpm test\n```', 'no such npm script: test'],
])('refuses %s', (text, mistake) => {
  expect(check(text)).toEqual([mistake]);
});

it.each([
  '[a](docs/other.md#twice-1) [b](docs/other.md#a-code-heading-twice) [c](https://example.com/none) [d](docs/)',
  '# Here\n\n[a](#here)',
  '`docs/other.md` `src/<name>.ts` `src/**/*.ts` `docs/adr/NNNN-slug.md` `GET /none`',
  '```\n[a](none.md)\n```\nnpm start, npm ci, npm run verify',
  'Superseded by [another](docs/other.md).\n\n`src/gone.ts`',
])('accepts %s', (text) => {
  expect(check(text)).toEqual([]);
});

it('looks at the top level and below docs/', () => {
  writeFileSync(join(project, 'README.md'), '');
  writeFileSync(join(project, 'docs/adr/0001-a.md'), '');
  expect(listDocuments(project)).toEqual(['README.md', 'docs/adr/0001-a.md', 'docs/other.md']);
});

describe('the routes that texts name', () => {
  beforeEach(() => {
    mkdirSync(join(project, 'openapi'));
    const paths = {
      '/health/live': { get: {} },
      '/api/v1/billing/orders': { post: {} },
      '/api/v1/billing/orders/{id}': { get: {} },
    };
    writeFileSync(join(project, 'openapi/openapi.json'), JSON.stringify({ paths }));
  });

  it.each([
    ['a.md', 'Send POST /orders/merge.', 'no such route: POST /orders/merge'],
    ['a.md', '`DELETE /orders/{id}`', 'no such route: DELETE /orders/{id}'],
    ['a.md', 'look at `/orders/{id}/lines?limit=1`', 'no such route: /orders/{id}/lines'],
    ['a.ts', "remedy: 'Use PUT /orders.'", 'no such route: PUT /orders'],
    ['a.ts', "remedy: 'Ask GET /health.'", 'no such route: GET /health'],
  ])('must exist: %s: %s', (path, text, mistake) => {
    writeFileSync(join(project, path), text);
    expect(checkRoutes(project, path)).toEqual([mistake]);
  });

  it.each([
    ['a.md', 'POST /orders, `GET /orders/{order_id}`: `/orders`, GET /orders/4711?limit=1, `/orders?x=1`, `/docs`'],
    ['a.md', 'HEAD /health/live, POST /api/v1/billing/orders: `GET /openapi.json`, `/items/0/sku` in `/var/lib`'],
    ['a.md', '*(not built yet)*: POST /customers/merge'],
    ['a.ts', "import '/tmp/a'; // `/nothing`"],
  ])('may be named in many ways: %s: %s', (path, text) => {
    writeFileSync(join(project, path), text);
    expect(checkRoutes(project, path)).toEqual([]);
  });
});

describe('what code cites of the rules', () => {
  /** Split, because this file is checked too. */
  const RULES = 'DOMAIN';

  beforeEach(() => {
    const sections = '## 2. Entities\n\n## 3. Rules\n\n### 3.0 A way\n\n### 3.14 Another (not built yet)\n';
    writeFileSync(
      join(project, 'docs/domain.md'),
      `# The domain\n\n${sections}\n- **I1** holds.\n- **I2** holds: I${3}.\n`,
    );
    mkdirSync(join(project, 'src/generated'), { recursive: true });
    mkdirSync(join(project, 'prisma/migrations/1_first'), { recursive: true });
  });

  it.each([
    [`// A rule (${RULES} 3.1).`, `no such section of docs/domain.md: ${RULES} 3.1`],
    [`// Rules (${RULES} 3.0, 3.14 and 3.3).`, `no such section of docs/domain.md: ${RULES} 3.3`],
    [`// A rule (${RULES} 3.140).`, `no such section of docs/domain.md: ${RULES} 3.140`],
    [`assert(isWhole, 'I${3}: whole');`, `no such invariant in docs/domain.md: I${3}`],
  ])('refuses %s', (text, mistake) => {
    writeFileSync(join(project, 'src/a.ts'), text);
    writeFileSync(join(project, 'prisma/migrations/1_first/migration.sql'), `-- ${text}`);
    expect(checkCitations(project)).toEqual([
      `prisma/migrations/1_first/migration.sql: ${mistake}`,
      `src/a.ts: ${mistake}`,
    ]);
  });

  it('accepts sections and invariants that there are, and looks at nothing that is made or recorded', () => {
    mkdirSync(join(project, 'test/fixtures'), { recursive: true });
    writeFileSync(join(project, 'src/a.ts'), `// ${RULES} 2, ${RULES} 3.0, step 2, and ${RULES} 3.14, 3.0 (I1, I2)`);
    writeFileSync(join(project, 'src/generated/a.ts'), `// ${RULES} 9.9`);
    writeFileSync(join(project, 'test/fixtures/a.sql'), `-- ${RULES} 9.9`);
    expect(checkCitations(project)).toEqual([]);
  });

  it('refuses every citation where there are no rules', () => {
    rmSync(join(project, 'docs/domain.md'));
    writeFileSync(join(project, 'src/a.ts'), `// ${RULES} 3.0`);
    expect(checkCitations(project)).toEqual([`src/a.ts: no such section of docs/domain.md: ${RULES} 3.0`]);
  });
});
