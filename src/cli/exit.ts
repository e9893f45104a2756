/** Exit status of every command. */
export const EXIT = { good: 0, no: 1, usage: 2 } as const;

/** The command was called wrongly: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
