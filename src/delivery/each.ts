/** Runs an action for each value, so many at a time. Rejects with the first error, after the running ones. */
export async function eachOf<Value>(
  values: Iterable<Value>,
  atATime: number,
  action: (value: Value) => Promise<void>,
): Promise<void> {
  const rest = values[Symbol.iterator]();
  async function worker(): Promise<void> {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await action(next.value);
  }
  const results = await Promise.allSettled(Array.from({ length: atATime }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
