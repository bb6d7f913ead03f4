// All background work, one line for each job.
import { applyPaymentsJob } from './apply-payments.js';
import { blankPaymentsJob } from './blank-payments.js';
import { deliverWebhooksJob } from './deliver-webhooks.js';
import { dropOldEventsJob } from './drop-events.js';
import { eraseCustomersJob } from './erase-customers.js';
import { followLimitsJob } from './follow-limits.js';
import { forgetKeysJob } from './forget-keys.js';
import type { Job } from './job.js';
import { notifyJob } from './notify.js';
import { settleRewardsJob } from './settle-rewards.js';
import { sweepJob } from './sweep.js';

export const jobs: readonly Job[] = [
  sweepJob,
  notifyJob,
  settleRewardsJob,
  followLimitsJob,
  forgetKeysJob,
  dropOldEventsJob,
  deliverWebhooksJob,
  applyPaymentsJob,
  blankPaymentsJob,
  eraseCustomersJob,
];
