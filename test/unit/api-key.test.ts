// The text of API keys: what is read back of them, and what is no key.
import { describe, expect, it } from 'vitest';
import { hashOfToken, idOfApiKey, isApiKey, makeApiKey } from '../../src/lib/api-key.js';
import { uuidIds } from '../../src/lib/ids.js';

const id = uuidIds.next();

describe('an API key', () => {
  it.each([[id], ['00000000-0000-0000-0000-000000000000'], ['ffffffff-ffff-ffff-ffff-ffffffffffff']])(
    'tells its id %s, and is another each time',
    (own) => {
      const [one, other] = [makeApiKey(own), makeApiKey(own)];
      expect(one).toMatch(/^bur_live_[0-9A-Za-z]{71}$/);
      expect([idOfApiKey(one), idOfApiKey(other)]).toEqual([own, own]);
      expect(one).not.toBe(other);
      expect(hashOfToken(one)).not.toEqual(hashOfToken(other));
    },
  );

  it('with any one character changed, or two exchanged, is known as mistyped', () => {
    const key = makeApiKey(id);
    for (let at = 'bur_live_'.length; at < key.length; at += 1) {
      const changed = key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
      expect(idOfApiKey(changed), changed).toBeUndefined();
      const swapped = key.slice(0, at - 1) + key.charAt(at) + key.charAt(at - 1) + key.slice(at + 1);
      if (swapped !== key) expect(idOfApiKey(swapped), swapped).toBeUndefined();
    }
  });

  it.each([
    ['', false],
    ['bur_live_', true],
    ['bur_live', false],
    [`bur_live_${'z'.repeat(71)}`, true],
    ['bearer', false],
  ])('is not %j', (text, looksLikeOne) => {
    expect(idOfApiKey(text)).toBeUndefined();
    expect(isApiKey(text)).toBe(looksLikeOne);
  });

  it('is not one whose id has more than 128 bits, whatever its checksum says', () => {
    const keyOf = (digits: string) => `bur_live_${digits}${'0'.repeat(43)}`;
    const largest = 'z'.repeat(22);
    expect(idOfApiKey(`${keyOf(largest)}${'0'.repeat(6)}`)).toBeUndefined();
  });
});
