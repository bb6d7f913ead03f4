// The journal of charges that Bursar could not take: lines of JSON in a local file, each on the disk before its answer leaves. Every line is a charge, or that
// one is done; charges without that are sent again, with their keys. One process has a journal at a time.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import type { Charge, Taken } from './take.js';

const MODE = 0o600;

type Line = { charge: Charge; at: string } | { done: string; at: string; result?: Taken; error?: string };

export interface JournalSettings {
  path: string;
  bytesMax: number;
  /** Told of lines that can't be read, such as the last one before a crash. */
  onUnreadable(line: string): void;
}

export class Journal {
  readonly #file: FileHandle;
  readonly #settings: JournalSettings;
  readonly #pending = new Map<string, Charge>();
  #bytes: number;
  /** Whether the file ends in a part of a line. */
  #isTorn = false;
  /** Appends follow each other, so that lines stay whole. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle, settings: JournalSettings, bytes: number) {
    this.#file = file;
    this.#settings = settings;
    this.#bytes = bytes;
  }

  /** Opens or makes the file. Throws: an error when another process has it, or it can't be written. */
  static async open(settings: JournalSettings): Promise<Journal> {
    await lock(`${settings.path}.lock`);
    try {
      const file = await open(settings.path, 'a+', MODE);
      const text = await readFile(settings.path, 'utf8');
      const journal = new Journal(file, settings, Buffer.byteLength(text));
      await journal.#load(text);
      return journal;
    } catch (error) {
      await rm(`${settings.path}.lock`, { force: true });
      throw error;
    }
  }

  get pending(): readonly Charge[] {
    return [...this.#pending.values()];
  }

  /** Resolves once the charge is on the disk. Throws: when it can't be written, or the file has grown too large. */
  async add(charge: Charge): Promise<void> {
    await this.#append({ charge, at: now() });
    this.#pending.set(charge.key, charge);
  }

  /** Notes that a charge is done: with what was taken, or with the error because of which it never can be. */
  async finish(key: string, outcome: { result: Taken } | { error: string }): Promise<void> {
    await this.#append({ done: key, at: now(), ...outcome });
    this.#pending.delete(key);
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#file.close();
    await rm(`${this.#settings.path}.lock`, { force: true });
  }

  async #load(text: string): Promise<void> {
    for (const each of text.split('\n').filter((line) => line !== '')) {
      const line = parse(each);
      if (!line) this.#settings.onUnreadable(each);
      else if ('charge' in line) this.#pending.set(line.charge.key, line.charge);
      else this.#pending.delete(line.done);
    }
    if (this.#pending.size === 0 && text !== '') {
      await this.#file.truncate(0);
      this.#bytes = 0;
    } else if (text !== '' && !text.endsWith('\n')) {
      this.#isTorn = true;
    }
  }

  #append(line: Line): Promise<void> {
    const text = `${JSON.stringify(line)}\n`;
    const turn = this.#last.then(async () => {
      // what is done may always be noted, so that a full journal empties
      if ('charge' in line && this.#bytes + text.length > this.#settings.bytesMax)
        throw new Error(`the journal ${this.#settings.path} is full`);
      await this.#write(text);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #write(text: string): Promise<void> {
    const whole = this.#isTorn ? `\n${text}` : text;
    this.#isTorn = true;
    await this.#file.appendFile(whole);
    this.#isTorn = false;
    await this.#file.datasync();
    this.#bytes += Buffer.byteLength(whole);
  }
}

function parse(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Line;
    const isWhole = 'charge' in line ? typeof line.charge.key === 'string' : typeof line.done === 'string';
    return isWhole ? line : undefined;
  } catch {
    return undefined;
  }
}

function now(): string {
  return new Date().toISOString();
}

/**
 * A file with the pid of the process that has the journal; one of a process that is gone, or of this pid's predecessor, is taken over. Two that take it over
 * at the same moment may both get it: they send the same charges with the same keys, which takes nothing twice.
 */
async function lock(path: string): Promise<void> {
  for (let isSecond = false; ; isSecond = true) {
    try {
      const file = await open(path, 'wx', MODE);
      await file.writeFile(`${process.pid} ${INSTANCE}\n`);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || isSecond) throw error;
      const [pid = '', instance] = (await readFile(path, 'utf8')).trim().split(' ');
      if (isOthers(Number(pid), instance)) throw new Error(`the journal belongs to process ${pid}: ${path}`);
      await rm(path, { force: true });
    }
  }
}

/** Tells this process from an earlier one that had the same pid, as the first process of a container does. */
const INSTANCE = randomUUID();

function isOthers(pid: number, instance: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return instance === INSTANCE;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
