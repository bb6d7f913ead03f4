// Asks the operating system for processes, by signal 0.

/** Whether a process with this pid exists; a negative number asks for a process group. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it exists, and is another user's
  }
}
