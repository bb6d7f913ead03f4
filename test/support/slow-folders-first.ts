// In which order files run: those first of which one takes minutes, so that no processor waits at the end for the last of them. Within a folder as vitest has it,
// which knows how long files took, but not in a fresh checkout.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** From the slowest. Files of other folders come behind. */
const FOLDERS = ['test/property/', 'test/process/', 'test/contract/', 'test/db/', 'test/concurrency/'];

export class SlowFoldersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const at = FOLDERS.findIndex((folder) => moduleId.includes(`/${folder}`));
  return at === -1 ? FOLDERS.length : at;
}
