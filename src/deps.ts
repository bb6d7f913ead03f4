// What a use case may reach: the foundations of the process and the lanes over them.
import type { Lanes } from './engine/lanes.js';
import type { Foundations } from './foundations.js';

export interface Deps extends Foundations {
  lanes: Lanes;
}
