/**
 * Which process has a mail or a call in hand. The queue gives a job to another process when it has lost sight of the one
 * that works on it (a lost lock, a queue that was emptied); this keeps the two from sending at the same time.
 */
export interface SendingHolds {
  /**
   * Takes those that no other process holds, for so long.
   * @param span ms
   * @returns for each that another one holds, ms until that is over if it is not renewed
   */
  take(ids: readonly string[], span: number): Promise<ReadonlyMap<string, number>>;
  /** @param span ms from now @returns those that are still held by this process */
  extend(ids: readonly string[], span: number): Promise<ReadonlySet<string>>;
  /** Gives them back, after what became of them was written. */
  release(ids: readonly string[]): Promise<void>;
}
