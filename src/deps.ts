// What a use case may reach: the foundations of the process, and the lanes and readers over them.
import type { Lanes } from './engine/lanes.js';
import type { Reads } from './engine/reads.js';
import type { Foundations } from './foundations.js';

export interface Deps extends Foundations {
  lanes: Lanes;
  reads: Reads;
}
