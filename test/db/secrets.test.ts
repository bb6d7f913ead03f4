// The guard of the peppers: what a start says of them, on a database in which trials were claimed under others, or none.
import { beforeAll, describe, expect, it } from 'vitest';
import { guardSecretKeys, restOnSecretKeys } from '../../src/engine/secret-keys.js';
import { readPeppers } from '../../src/ledger/trials.js';
import { readSecretKeys } from '../../src/lib/secret-keys.js';
import { guardPeppers } from '../../src/services/secrets.js';
import { TEST_PEPPER, useTestApp } from '../support/app.js';
import { ask } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';
import { claimTrial, putTrialOffers } from '../support/trials.js';

const STRANGER = 'a-pepper-of-somebody-else-entirely-01';
const SECOND = 'a-pepper-that-came-by-a-rotation-0002';
const LOST = 'a-pepper-after-the-first-was-lost-003';

describe('the peppers of a start', () => {
  const app = useTestApp();

  const start = (pepper: string) => guardPeppers({ db: app.deps.db, config: { ...app.deps.config, pepper } });
  const nameOf = (pepper: string) => `pepper ${readPeppers(pepper)[0]?.id}`;
  const known = () => ask(app.url, 'SELECT name, fingerprint FROM secrets ORDER BY name');
  const refusal =
    /has no pepper under which this database knows who had a trial, only "pepper [0-9a-f]{12}": set the one/;

  beforeAll(() => putTrialOffers(app));

  it('are taken one after the other as long as nobody had a trial, and not remembered', async () => {
    await start(STRANGER);
    await start(TEST_PEPPER);
    expect(await known()).toEqual([]);
  });

  it('have to have one under which trials were claimed', async () => {
    expect((await claimTrial(app, newPerson())).status).toBe(201);
    await expect(start(STRANGER)).rejects.toThrow(refusal);
    await expect(start(`${STRANGER},${SECOND}`)).rejects.toThrow('BURSAR_PEPPER');
    expect(await known()).toEqual([]);
    await start(TEST_PEPPER);
    expect(await known()).toEqual([
      { name: nameOf(TEST_PEPPER), fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('are known once they stood beside such a one: a rotation', async () => {
    await start(`${SECOND}, ${TEST_PEPPER}`);
    await start(SECOND);
    await start(TEST_PEPPER);
    await expect(start(STRANGER)).rejects.toThrow(refusal);
  });

  it('are accepted by hand when the old ones are lost, and remembered', async () => {
    await ask(app.url, 'INSERT INTO secrets (name) VALUES ($1)', [nameOf(LOST)]);
    await start(LOST);
    const [row] = await ask(app.url, 'SELECT fingerprint FROM secrets WHERE name = $1', [nameOf(LOST)]);
    expect(row?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are refused when another secret is known by their name', async () => {
    await ask(app.url, `UPDATE secrets SET fingerprint = repeat('0', 64) WHERE name = $1`, [nameOf(TEST_PEPPER)]);
    await expect(start(TEST_PEPPER)).rejects.toThrow(`the secret "${nameOf(TEST_PEPPER)}" is not the one`);
  });

  it('stay out of the database', async () => {
    const text = JSON.stringify(await known());
    for (const pepper of [TEST_PEPPER, SECOND, LOST]) expect(text).not.toContain(pepper);
  });
});

describe('the secret keys of a start', () => {
  const app = useTestApp();

  const depsOf = (secretKey: string) => ({ db: app.deps.db, config: { ...app.deps.config, secretKey } });
  const start = (secretKey: string) => guardSecretKeys(depsOf(secretKey));
  const nameOf = (secretKey: string) => `secret key ${readSecretKeys(secretKey)[0]?.id}`;
  const known = async () =>
    (await ask(app.url, `SELECT name FROM secrets WHERE name LIKE 'secret key %' ORDER BY name`)).map(
      ({ name }) => name,
    );
  const refusal =
    /^BURSAR_SECRET_KEY .* has no key that this database knows, only "secret key [0-9a-f]{12}": set the one/;

  it('are taken one after the other as long as nothing rests on any, and not remembered', async () => {
    await start(STRANGER);
    await start(SECOND);
    expect(await known()).toEqual([]);
  });

  it('have to have one that something rests on, and a new one beside it is a rotation', async () => {
    await restOnSecretKeys(depsOf(SECOND));
    await expect(start(STRANGER)).rejects.toThrow(refusal);
    await expect(restOnSecretKeys(depsOf(STRANGER))).rejects.toThrow(refusal);
    await start(`${LOST}, ${SECOND}`);
    await start(LOST);
    expect(await known()).toEqual([nameOf(LOST), nameOf(SECOND)].sort());
    await expect(start(STRANGER)).rejects.toThrow(refusal);
  });

  it('are accepted by hand when the old ones are lost', async () => {
    await ask(app.url, 'INSERT INTO secrets (name) VALUES ($1)', [nameOf(STRANGER)]);
    await start(STRANGER);
  });

  it('have other names than peppers of the same text', () => {
    expect(readSecretKeys(SECOND)[0]?.id).not.toBe(readPeppers(SECOND)[0]?.id);
  });
});
