/** The queue's backend is out of reach, or not fit for use. Its message is for admins. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: 'unavailable' | 'refused' | 'invalid';

  constructor(code: QueueError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
