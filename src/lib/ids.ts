// The only source of ids: UUIDv7, made by the application, so that an operation has its id before its first attempt.
import { v7 } from 'uuid';

export interface Ids {
  /** A fresh UUIDv7, lower-case. */
  next(): string;
}

export const uuidv7Ids: Ids = { next: () => v7() };
