// Reads what /metrics tells.

export interface ReadMetrics {
  text: string;
  /** Names of samples, those of histograms with their endings. */
  names: Set<string>;
  /** The sample with exactly these labels; undefined when there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  /** The labels of each sample of a name. */
  labelsOf(name: string): Record<string, string>[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text form of Prometheus. Throws at a line that is none of it. */
export function readMetrics(text: string): ReadMetrics {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
      if (name === undefined) throw new Error(`no sample: ${line}`);
      const read = Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, of]) => [label ?? '', of ?? '']));
      return { name, labels: read, value: Number(value) };
    });
  const keyOf = (labels: Record<string, string>) => JSON.stringify(Object.entries(labels).sort());
  return {
    text,
    names: new Set(samples.map(({ name }) => name)),
    value: (name, labels = {}) =>
      samples.find((each) => each.name === name && keyOf(each.labels) === keyOf(labels))?.value,
    labelsOf: (name) => samples.filter((each) => each.name === name).map(({ labels }) => labels),
  };
}
