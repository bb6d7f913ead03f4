// Seats of a team: a metered product as a gauge, that goes up and down. See seats.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

// Nothing is granted of it: limits alone say how much may be in use.
await call('PUT', '/products/TEAM_SEATS', { name: 'Seats', type: 'metered' });

const team = { provider: 'teams', external_id: randomUUID() };
const seats = { ...team, product_key: 'TEAM_SEATS' };
const allow = (total) => call('PUT', '/limits', { ...seats, windows: { total } });
await allow(3);

async function show(when) {
  const { data } = await call('GET', `/quota/status?${new URLSearchParams(seats)}`);
  const [{ current, limit, remaining, status }] = data[0].windows;
  console.log(`${when}: ${current} of ${limit} seats, ${remaining} left, ${status}`);
}

// Somebody joins: one seat more, once, however often the step is repeated.
async function join(person) {
  const { status, body } = await send('POST', '/quota/consume', { ...seats, action_id: person }, `join ${person}`);
  console.log(`${person}: ${status === 200 ? 'has a seat' : body.code}`);
}

for (const person of ['ada', 'ben', 'cy', 'ben', 'dee']) await join(person);
await show('full');

// Somebody leaves: one seat less, whoever's use it was.
await call('POST', '/quota/release', { ...seats, amount: 1 }, 'ada leaves');
await show('ada left');
await join('dee');

// A smaller plan: who has a seat keeps it, and nobody joins until there is room.
await allow(2);
await show('smaller plan');
await join('eve');
const { status, body } = await send('POST', '/quota/release', { ...seats, amount: 4 }, 'too many');
console.log(`4 leave: ${status} ${body.code}`);
