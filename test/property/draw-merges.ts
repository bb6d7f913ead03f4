// Draws what two customers do of whom one is merged into the other: what is begun before it, and how it ends afterwards.
import fc from 'fast-check';
import type { Command, OwnCommand, Scope } from './commands.js';
import { record, type Weighted } from './draw.js';
import { limits } from './draw-limits.js';
import { refundEpisodes, refunds } from './draw-refunds.js';
import { exchanges, grants, orders } from './draw-sales.js';
import { time } from './draw-time.js';
import { givingBack, reservations, uses } from './draw-work.js';

/** Workloads of so many commands. */
export function mergers(scope: Scope, { min, max }: { min: number; max: number }): fc.Arbitrary<Command[]> {
  // A clock that lags counts as the latest instant of both, whoever is asked.
  const calm = { ...scope, hasProcesses: false };
  const sweep: Weighted = { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) };
  const repeat: Weighted = { weight: 6, arbitrary: record({ kind: fc.constant('repeat' as const), last: fc.nat(9) }) };
  const work = fc.oneof(
    ...grants(calm),
    ...uses(calm, 'everything'),
    ...reservations(calm, 'everything'),
    ...givingBack(calm),
    ...exchanges(calm),
    ...orders(calm),
    ...refunds(calm),
    ...limits(calm, 'everything'),
    ...(scope.hasMemory ? [repeat] : []),
  );
  const some = fc.oneof(
    { weight: 5, arbitrary: work.map((command) => [command]) },
    { weight: 1, arbitrary: refundEpisodes(calm) },
  );
  const step = fc.oneof(
    { weight: 3, arbitrary: some },
    { weight: 6, arbitrary: some.map((drawn) => drawn.map(byTheOther)) },
    { weight: 2, arbitrary: fc.oneof(...time(calm), sweep).map((command) => [command]) },
  );
  const half = fc
    .array(step, { minLength: Math.ceil(min / 2), maxLength: Math.ceil(max / 2), size: 'max' })
    .map((drawn) => drawn.flat());
  const again = fc.option(fc.constant({ kind: 'merge' as const }), { freq: 3 });
  const merge = fc.constant({ kind: 'merge' as const });
  return fc
    .tuple(half, merge, half, again)
    .map(([before, merged, after, more]) => [...before, merged, ...after, ...(more ? [more] : [])].map(withoutDebts));
}

/** What is owed moves too; who repaid which debt then is not modelled. */
function withoutDebts(command: Command): Command {
  if (command.kind === 'by the other') return { ...command, command: withoutDebt(command.command) };
  return command.kind === 'merge' ? command : withoutDebt(command);
}

function withoutDebt(command: OwnCommand): OwnCommand {
  if (command.kind === 'deduct credits') return { ...command, allowNegative: false };
  return command.kind === 'refund' || command.kind === 'dispute' ? { ...command, policy: 'ignore' } : command;
}

/** What moves the clock is about nobody. */
function byTheOther(command: Command): Command {
  if (command.kind === 'merge' || command.kind === 'by the other' || isOfTime(command)) return command;
  return { kind: 'by the other', command };
}

function isOfTime({ kind }: OwnCommand): boolean {
  return ['wait', 'wait for', 'lag', 'sweep'].includes(kind);
}
