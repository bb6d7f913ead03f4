// How the database names what a limit is about, and what is used.
import type { Subject } from '../ledger/catalog-entities.js';

export type SubjectType = 'product' | 'feature';

export function toSubject(subjectType: SubjectType, subject: string): Subject {
  return subjectType === 'feature' ? { feature: subject } : { productKey: subject };
}

export function ofSubject(subject: Subject): { subjectType: SubjectType; subject: string } {
  return 'feature' in subject
    ? { subjectType: 'feature', subject: subject.feature }
    : { subjectType: 'product', subject: subject.productKey };
}
