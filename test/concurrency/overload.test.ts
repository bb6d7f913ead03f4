// More uses than may wait: they are refused at once, before memory grows, and those that wait lose nothing.
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, putProduct, useTestApp } from '../support/app.js';
import { balanceOf, customerIdOf, holdCustomers } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const SENT = 5_000;
const WAITING_MAX = 4_096;
/** Those in a transaction, and those on their way to it, no longer wait. */
const TRANSACTION_MAX = 256;

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

const consume = (externalId: string) => ({ external_id: externalId, product_key: 'CREDITS', amount: 1 });

/** Sends many requests over one connection, none of which waits for an answer; gives the statuses of all answers once it is closed. */
function sendPipelined(count: number): Promise<number[]> {
  const address = app.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the app has no port');
  const body = JSON.stringify(consume('crowd'));
  const requestOf = (connection: string) =>
    `POST ${BASE_PATH}/quota/consume HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${API_TOKEN}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: ${connection}\r\n\r\n${body}`;
  const socket = connect(address.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return new Promise((settle, fail) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', fail);
    socket.on('end', () => settle([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))));
    socket.write(requestOf('keep-alive').repeat(count - 1) + requestOf('close'));
  });
}

describe(`${SENT} uses of a customer who is locked elsewhere`, () => {
  it('are refused beyond what may wait, with a time to come back, and taken exactly', async () => {
    await grantUnits(app, 'crowd', 'CREDITS', 2 * SENT);
    await grantUnits(app, 'late', 'CREDITS', 1_000);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'crowd'));
    let arrived = 0;
    app.app.server.on('request', () => {
      arrived += 1;
    });
    const crowd = sendPipelined(SENT);
    const late = await waitFor('a refusal', async () => {
      const answer = await app.post('/quota/consume', consume('late'));
      return answer.status === 200 ? undefined : answer;
    });
    const arrivedUntilRefused = arrived;
    await held.rollback();
    expect([late.status, late.body.code, late.headers['retry-after']]).toEqual([503, 'overloaded', '1']);
    const statuses = await crowd;
    const taken = statuses.filter((status) => status === 200).length;
    const refused = statuses.filter((status) => status === 503).length;
    expect(taken + refused).toBe(SENT);
    expect(refused).toBeGreaterThan(0);
    expect(arrivedUntilRefused).toBeGreaterThan(WAITING_MAX);
    expect(arrivedUntilRefused).toBeLessThan(WAITING_MAX + 3 * TRANSACTION_MAX);
    expect(await balanceOf(app, 'crowd', 'CREDITS')).toBe(2 * SENT - taken);
    expect((await app.post('/quota/consume', consume('late'))).status).toBe(200);
  });
});
