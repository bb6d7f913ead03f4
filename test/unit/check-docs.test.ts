// The check of the documentation finds what it is there to find.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkDocument, listDocuments } from '../../scripts/check-docs.js';

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
