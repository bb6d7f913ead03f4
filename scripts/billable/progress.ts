// How far a long run is, on a terminal alone.

const BAR_LENGTH = 30;

export interface Progress {
  /** Tells that so many more are done of what is under way. */
  add(count: number): void;
  /** Begins another phase; without `total` it is only counted. */
  begin(what: string, total?: number): void;
  end(): void;
}

/** A bar on standard error where that is a terminal, else nothing. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let [what, total, done]: [string, number | undefined, number] = ['', undefined, 0];
  const show = () => {
    if (!stream.isTTY) return;
    const filled = total ? Math.min(BAR_LENGTH, Math.floor((done / total) * BAR_LENGTH)) : 0;
    const bar = total === undefined ? '' : ` [${'#'.repeat(filled).padEnd(BAR_LENGTH)}] of ${total}`;
    stream.write(`\r\u001b[K${what} ${done}${bar}`);
  };
  return {
    add: (count) => {
      done += count;
      show();
    },
    begin: (next, size) => {
      [what, total, done] = [next, size, 0];
      show();
    },
    end: () => {
      if (stream.isTTY) stream.write('\r\u001b[K');
    },
  };
}
