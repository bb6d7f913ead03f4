// How the background work stands.
import { type JobState, listJobs } from '../db/jobs.js';
import type { Deps } from '../deps.js';

/** All jobs that some process should do, by name, whoever does them. */
export function tellJobs({ db }: Pick<Deps, 'db'>): Promise<JobState[]> {
  return listJobs(db);
}
