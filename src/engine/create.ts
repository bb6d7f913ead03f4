// What works over the foundations of a process, made together.
import type { Db } from '../db/client.js';
import type { Foundations } from '../foundations.js';
import { type Actors, createActors } from './actors.js';
import { createEngine, type Engine } from './engine.js';
import { createHorizon, type Horizon } from './horizon.js';
import { createReads, type Reads } from './reads.js';
import { createReplica, type Replica } from './replica.js';
import { createSender, type Sender } from './webhook-sender.js';

/** The foundations, and what use cases reach for besides; `copy` is a standby for reads that may lag. */
export function createOver(
  foundations: Foundations,
  { copy, sharesAll }: { copy?: Db | undefined; sharesAll?: boolean } = {},
): Foundations & { engine: Engine; reads: Reads; horizon: Horizon; replica: Replica; actors: Actors; sender: Sender } {
  return {
    ...foundations,
    engine: createEngine(foundations, { sharesAll }),
    reads: createReads(foundations),
    horizon: createHorizon(foundations),
    replica: createReplica(foundations, copy),
    actors: createActors(foundations),
    sender: createSender(foundations),
  };
}
