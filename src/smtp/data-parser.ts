import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';

/** Takes the bytes between DATA and the end of data. */
export interface DataSink {
  /** @returns the offset behind the end of data, or -1 when it was not in this chunk */
  write(chunk: Buffer): number;
  /** Resolves (never rejects) when more bytes may come; undefined when they may now. */
  readonly pressure: Promise<void> | undefined;
  /** The end of data was seen. @param resume to be called when the next command may be read */
  ended(resume: () => void): void;
}

/**
 * smtp-server's command parser with our own reading of the data. The library's own takes a dot out behind a bare LF,
 * and passes the bytes on in a stream for each message, which costs more than all else in a session.
 */
export class DataParser extends SMTPStream {
  #sink: DataSink | undefined;

  /** The bytes from here to the end of data go to the sink. */
  receive(sink: DataSink): void {
    this.#sink = sink;
    this._dataMode = true;
  }

  override _feedDataStream(chunk: Buffer, done: (error?: Error | null) => void): void {
    const sink = this.#sink;
    if (sink === undefined) {
      done(new Error('no message is expected'));
      return;
    }
    const end = sink.write(chunk);
    if (end < 0) {
      const { pressure } = sink;
      if (pressure === undefined) done();
      else pressure.then(() => done(), done);
      return;
    }
    this.#sink = undefined;
    this._dataMode = false;
    this._remainder = '';
    const rest = chunk.subarray(end);
    sink.ended(() => this._write(rest, 'buffer', done));
  }

  /** A command that is not ended by a line end is none. */
  override _flushData(): void {
    this._remainder = '';
  }
}
