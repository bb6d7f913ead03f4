// The conditions of a list that is asked for by any of several things: what is not asked for is no part of the statement, so that the planner sees an index
// where there is one. There are as many statements as ways to ask.

export class Conditions {
  readonly parameters: unknown[] = [];
  readonly #conditions: string[] = [];

  /** Adds a condition; each `?` in it is one of the values. */
  add(condition: string, ...values: unknown[]): void {
    const given = values.values();
    this.#conditions.push(condition.replaceAll('?', () => this.parameter(given.next().value)));
  }

  /** The number of a further parameter, as `$n`. */
  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  /** All of them; `true` where there is none. */
  text(): string {
    return this.#conditions.join(' AND ') || 'true';
  }
}
