// Checks the lockfile: versions are pinned in package.json, no download addresses are recorded (any registry may serve the packages),
// and every package comes with its checksum.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const KINDS = ['dependencies', 'optionalDependencies', 'devDependencies'] as const;
const MISTAKES_SHOWN_MAX = 20;

type Ranges = { [K in (typeof KINDS)[number]]?: Record<string, string> };
type Entry = Ranges & { resolved?: string; integrity?: string; inBundle?: boolean };

const manifest = readJson('package.json') as Ranges;
const lock = readJson('package-lock.json') as { packages: Record<string, Entry> };

const mistakes: string[] = [];
for (const kind of KINDS) {
  for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
    if (!/^\d/.test(range)) mistakes.push(`package.json: ${name} is not pinned to a version: ${range}`);
    if (lock.packages['']?.[kind]?.[name] !== range)
      mistakes.push(`package-lock.json differs from package.json: ${name}`);
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  if (entry.resolved) mistakes.push(`package-lock.json records a download address: ${path}`);
  if (!entry.integrity && !entry.inBundle) mistakes.push(`package-lock.json has no checksum: ${path}`);
}
for (const mistake of mistakes.slice(0, MISTAKES_SHOWN_MAX)) console.error(mistake);
if (mistakes.length > 0) process.exitCode = 1;

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(PROJECT, name), 'utf8'));
}
