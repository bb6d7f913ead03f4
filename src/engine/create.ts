// What works over the foundations of a process, made together.
import type { Foundations } from '../foundations.js';
import { type Actors, createActors } from './actors.js';
import { createEngine, type Engine } from './engine.js';
import { createHorizon, type Horizon } from './horizon.js';
import { createReads, type Reads } from './reads.js';
import { createSender, type Sender } from './webhook-sender.js';

/** The foundations, and what use cases reach for besides. */
export function createOver(
  foundations: Foundations,
  options: { sharesAll?: boolean } = {},
): Foundations & { engine: Engine; reads: Reads; horizon: Horizon; actors: Actors; sender: Sender } {
  return {
    ...foundations,
    engine: createEngine(foundations, options),
    reads: createReads(foundations),
    horizon: createHorizon(foundations),
    actors: createActors(foundations),
    sender: createSender(foundations),
  };
}
