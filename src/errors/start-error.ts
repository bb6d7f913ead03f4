// The error of a process that can't start (or a script that can't run) for a reason that whoever runs it can mend.
// Its message is one line that says what is wrong and what to do; it is shown alone, without a stack.

export class StartError extends Error {
  override readonly name: string = 'StartError';
}
