// The contract of idempotency keys (DOMAIN 3.6), the same for every writing route: registers its tests in the calling describe block.
import { expect, it } from 'vitest';
import type { Json, TestApp } from './app.js';
import { expectProblem, writtenBy } from './requests.js';

export interface KeyedRequest {
  path: string;
  body: Json;
  /** Members that make it another request of the same customer. */
  other: Json;
}

let keys = 0;
function newKey(): string {
  keys += 1;
  return `key-${keys}`;
}

/** `prepare` makes a request that succeeds, of a customer of its own each time. */
export function itHonoursIdempotencyKeys(app: TestApp, prepare: () => Promise<KeyedRequest>): void {
  it('gives the first answer again, byte for byte, for the same key, and writes nothing', async () => {
    const { path, body } = await prepare();
    const key = newKey();
    const first = await app.post(path, body, { 'idempotency-key': key });
    expect(first.status, first.text).toBeLessThan(300);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    const written = await writtenBy(app, async () => {
      const again = await app.post(path, { ...body, idempotency_key: key });
      expect(again.status).toBe(first.status);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });
    expect(written).toEqual({});
  });

  it('gives the first answer again after days', async () => {
    const { path, body } = await prepare();
    const key = newKey();
    const first = await app.post(path, body, { 'idempotency-key': key });
    app.clock.advance({ days: 40 });
    const again = await app.post(path, body, { 'idempotency-key': key });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });

  it('refuses the key of another request, and writes nothing', async () => {
    const { path, body, other } = await prepare();
    const key = newKey();
    await app.post(path, body, { 'idempotency-key': key }).expect((answer) => expect(answer.status).toBeLessThan(300));
    const written = await writtenBy(app, async () => {
      const answer = await app.post(path, { ...body, ...other, idempotency_key: key });
      expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
    });
    expect(written).toEqual({});
  });

  it('acts once when two come at once with one key', async () => {
    const { path, body } = await prepare();
    const key = newKey();
    const written = await writtenBy(app, async () => {
      const answers = await Promise.all([1, 2].map(() => app.post(path, body, { 'idempotency-key': key })));
      expect(answers.map((answer) => answer.headers['idempotent-replayed']).sort()).toEqual(['true', undefined]);
      expect(answers[1]?.text).toBe(answers[0]?.text);
    });
    expect(written.operations).toBe(1);
  });

  it('refuses a key in the header that differs from the one in the body', async () => {
    const { path, body } = await prepare();
    const answer = await app.post(path, { ...body, idempotency_key: newKey() }, { 'idempotency-key': newKey() });
    expectProblem(answer, 400, 'invalid_request', '/idempotency_key');
  });
}
