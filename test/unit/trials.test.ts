// Which rows a trial claims: normalised identities, each under every scope and pepper, sorted. The spellings are tested over HTTP.
import { describe, expect, it } from 'vitest';
import { readPeppers, trialClaims } from '../../src/ledger/trials.js';

const peppers = readPeppers('first-pepper,second-pepper');

describe('readPeppers', () => {
  it('reads one or several, trimmed, in their order, and skips empty ones', () => {
    expect(readPeppers(' a , b,,c ').map((pepper) => pepper.secret)).toEqual(['a', 'b', 'c']);
    expect(readPeppers('only').map((pepper) => pepper.secret)).toEqual(['only']);
  });

  it('gives a pepper the same id wherever it stands, and each its own', () => {
    const [a, b] = readPeppers('a,b');
    expect(readPeppers('b,a').map((pepper) => pepper.id)).toEqual([b?.id, a?.id]);
    expect(a?.id).not.toBe(b?.id);
    expect(a?.id).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe('trialClaims', () => {
  const device = { type: 'device', value: 'phone' };
  const email = { type: 'email', value: 'a@b.example' };

  it('makes a row for each identity, scope and pepper', () => {
    expect(trialClaims([device, email], ['any', 'offer:X'], peppers)).toHaveLength(8);
  });

  it('is the same list, in the same order, whatever order it is given', () => {
    const [ab, ba] = [trialClaims([device, email], ['any', 'offer:X'], peppers), [...peppers].reverse()];
    expect(trialClaims([email, device], ['offer:X', 'any'], ba)).toEqual(ab);
    const keys = ab.map(({ scope, pepperId, identityHash }) => `${scope} ${pepperId} ${identityHash}`);
    expect(keys).toEqual([...keys].sort());
  });

  it('names an identity once that is given in two spellings', () => {
    const claims = trialClaims([device, { type: ' DEVICE ', value: ' Phone' }], ['any'], peppers);
    expect(claims).toHaveLength(2);
  });

  it('hashes with the pepper, and tells a type from a value', () => {
    const one = trialClaims([{ type: 'a', value: 'bc' }], ['any'], peppers);
    const other = trialClaims([{ type: 'ab', value: 'c' }], ['any'], peppers);
    const hashes = [...one, ...other].map((claim) => claim.identityHash);
    expect(new Set(hashes).size).toBe(4);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });
});
