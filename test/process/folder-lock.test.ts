// The lock of a data folder, taken by many at once in one process: what the file system shows them is what it shows processes.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdDataFolder, type Release } from '../../src/embedded/folder-lock.js';

const CONTENDERS = 8;
const ROUNDS = 5;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bursar-lock-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

/** Everybody tries at once; what the holders got, and what the others were told. */
async function contend(): Promise<{ held: Release[]; refusals: string[] }> {
  const tries = await Promise.allSettled(Array.from({ length: CONTENDERS }, () => holdDataFolder(dir)));
  return {
    held: tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    refusals: tries.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])),
  };
}

describe('a data folder', () => {
  it('is held by one of those who find its holder gone at once, and the others are told by whom', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { held, refusals } = await contend();
      expect(held).toHaveLength(1);
      for (const refusal of refusals)
        expect(refusal).toContain(`another Bursar (process ${process.pid}) is running on`);
      await held[0]?.(); // like a holder that was killed it leaves a socket that nobody answers
    }
  });

  it('stays held, however many want it, and keeps nothing of earlier holders', async () => {
    await (await holdDataFolder(dir))();
    const release = await holdDataFolder(dir);
    expect((await contend()).held).toEqual([]);
    expect(readdirSync(dir)).toEqual(['bursar.lock.2']);
    await release();
  });
});
