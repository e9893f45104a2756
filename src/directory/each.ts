/**
 * Does something with each item, several at a time. After a failure none is begun any more, and those under way are
 * waited for.
 * @throws the first failure
 */
export async function each<T>(items: readonly T[], atATime: number, action: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const run = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const item = items[next++];
      if (item === undefined) continue;
      try {
        await action(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const runs = await Promise.allSettled(Array.from({ length: Math.min(atATime, items.length) }, run));
  for (const result of runs) if (result.status === 'rejected') throw result.reason;
}
