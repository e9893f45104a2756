/**
 * Works on the items of a source, some at a time, and gives out the results in their order. No more than `width` items
 * are read ahead, so that memory is bounded however many there are.
 */
export async function* ordered<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const waiting: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const result = work(item);
      // It is awaited in its turn; a failure before that must not count as unhandled.
      result.catch(() => undefined);
      waiting.push(result);
      if (waiting.length < width) continue;
      const first = waiting.shift();
      if (first !== undefined) yield await first;
    }
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield await next;
  } finally {
    await Promise.allSettled(waiting);
  }
}
