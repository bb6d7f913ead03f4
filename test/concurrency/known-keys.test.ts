// The memory of API keys: one look-up for all who ask at once, none while it is fresh, and never a key that was forgotten meanwhile.
import { describe, expect, it } from 'vitest';
import type { Db } from '../../src/db/client.js';
import { KEY_READ_FOR_MS, KnownKeys } from '../../src/engine/known-keys.js';

const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

/** A database in which a look-up answers what was true when it began, when it is let go. */
function createStage() {
  let name = 'first';
  let nowMs = 0;
  const waiting: (() => void)[] = [];
  const query = () => {
    const rows = [
      {
        id: ID,
        name,
        token_hash: Buffer.alloc(32),
        created_at: new Date(0),
        expires_at: null,
        revoked_at: null,
        last_used_at: null,
      },
    ];
    return new Promise((resolve) => waiting.push(() => resolve(rows)));
  };
  const keys = new KnownKeys({ db: { query } as unknown as Db }, () => nowMs);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    keys,
    rename: (to: string) => {
      name = to;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    lookUps: async () => {
      await settle();
      return waiting.length;
    },
    /** Lets all look-ups go that are under way. */
    letGo: async () => {
      await settle();
      for (const go of waiting.splice(0)) go();
      await settle();
    },
  };
}

const nameOf = async (found: ReturnType<KnownKeys['find']>) => (await found).key?.name;

describe('a key that is looked up', () => {
  it('is looked up once for all who ask at once, and not again while it is fresh', async () => {
    const stage = createStage();
    const asked = [nameOf(stage.keys.find(ID)), nameOf(stage.keys.find(ID))];
    expect(await stage.lookUps()).toBe(1);
    await stage.letGo();
    expect(await Promise.all(asked)).toEqual(['first', 'first']);
    stage.pass(KEY_READ_FOR_MS - 1);
    expect(stage.keys.find(ID)).not.toBeInstanceOf(Promise);
    stage.pass(1);
    stage.rename('second');
    const again = nameOf(stage.keys.find(ID));
    await stage.letGo();
    expect(await again).toBe('second');
  });

  it('counts from when its look-up began, however long that took', async () => {
    const stage = createStage();
    const asked = nameOf(stage.keys.find(ID));
    await stage.lookUps();
    stage.pass(KEY_READ_FOR_MS);
    await stage.letGo();
    expect(await asked).toBe('first');
    expect(stage.keys.find(ID)).toBeInstanceOf(Promise);
    await stage.letGo();
  });

  it('and is forgotten meanwhile is not put back, and whoever asked is told how it is now', async () => {
    const stage = createStage();
    const asked = nameOf(stage.keys.find(ID));
    await stage.lookUps();
    stage.rename('revoked');
    stage.keys.forget(ID);
    const later = nameOf(stage.keys.find(ID));
    await stage.letGo();
    await stage.letGo();
    expect(await Promise.all([asked, later])).toEqual(['revoked', 'revoked']);
    expect(await nameOf(stage.keys.find(ID))).toBe('revoked');
  });

  it('and can not be is looked up again by the next who asks', async () => {
    let isDown = true;
    const query = async () => {
      if (isDown) throw new Error('no database');
      return [];
    };
    const keys = new KnownKeys({ db: { query } as unknown as Db });
    await expect(keys.find(ID)).rejects.toThrow('no database');
    isDown = false;
    expect((await keys.find(ID)).key).toBeUndefined();
  });
});
