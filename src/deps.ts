// What a use case may reach: the foundations of the process, and the engine and the readers over them.
import type { Actors } from './engine/actors.js';
import type { Engine } from './engine/engine.js';
import type { Horizon } from './engine/horizon.js';
import type { Reads } from './engine/reads.js';
import type { Replica } from './engine/replica.js';
import type { Sender } from './engine/webhook-sender.js';
import type { Foundations } from './foundations.js';

export interface Deps extends Foundations {
  engine: Engine;
  reads: Reads;
  horizon: Horizon;
  replica: Replica;
  actors: Actors;
  sender: Sender;
}
