// npm run sbom: writes what the service consists of, as npm finds it in package-lock.json, in the form of CycloneDX. Packages that only develop it are left out.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const FILE = join('dist', 'bursar.cdx.json');
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--sbom-type=application'];
const { status, stdout, stderr } = spawnSync('npm', args, {
  cwd: PROJECT,
  encoding: 'utf8',
  maxBuffer: OUTPUT_BYTES_MAX,
});
if (status !== 0) {
  console.error(`sbom: ${stderr.trim()}`);
  process.exit(1);
}
const document = JSON.parse(stdout);
mkdirSync(join(PROJECT, 'dist'), { recursive: true });
writeFileSync(join(PROJECT, FILE), `${JSON.stringify(document, undefined, 2)}\n`);
console.log(`wrote ${FILE}: ${document.components.length} packages`);
