// Checks the lockfile: versions are pinned in package.json, no download addresses are recorded (any registry may serve the packages),
// and every package comes with its checksum.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'));

const mistakes = [];
for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies']) {
  for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
    if (!/^\d/.test(range)) mistakes.push(`package.json: ${name} is not pinned to a version: ${range}`);
    if (lock.packages[''][kind]?.[name] !== range)
      mistakes.push(`package-lock.json differs from package.json: ${name}`);
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  if (entry.resolved) mistakes.push(`package-lock.json records a download address: ${path}`);
  if (!entry.integrity && !entry.inBundle) mistakes.push(`package-lock.json has no checksum: ${path}`);
}
for (const mistake of mistakes.slice(0, 20)) console.error(mistake);
if (mistakes.length > 0) process.exitCode = 1;
