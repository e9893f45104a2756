import type { IntakeReport } from '../message/envelope.js';
import { memorySource, type MessageSource } from '../message/source.js';
import type { SmtpReply } from '../rules/types.js';
import { HeaderEnd, scanHeader, type OwnHost } from './header-scan.js';
import { DataDecoder, type LineEndingPolicy } from './line-endings.js';
import type { MemoryBudget } from './memory-budget.js';
import { PieceList } from './piece-list.js';
import { UploadFile } from './upload-file.js';

const MAX_HEADER = 2 ** 20;
/** Bytes of a header block that there is always memory for. */
const SURE_HEADER = 64 * 1024;
const MAX_IN_MEMORY = 512 * 1024;
/** A message that came through here this often goes in circles, whatever else is in between. */
const MAX_OWN_RECEIVED = 10;
/** Times that a message may bear our own marks: what strips Received fields does not strip these. */
const MAX_PASSES = 10;

export interface IntakeSettings {
  readonly lineEndings: LineEndingPolicy;
  /** Bytes of the message in canonical form. */
  readonly maxMessageSize: number;
  readonly maxReceived: number;
  /** How fields that this host wrote are known (see `writtenBy`). */
  readonly writtenHere: OwnHost;
  readonly spoolFolder: string;
  readonly budget: MemoryBudget;
}

export type IntakeResult =
  | { readonly kind: 'message'; readonly source: MessageSource; readonly report: IntakeReport }
  | { readonly kind: 'refused'; readonly reply: SmtpReply; readonly cause?: unknown };

/**
 * Takes one message in: decodes the data, holds the header block until it is complete and looks through it, keeps the
 * body in memory or beyond a bound in a file. What has been refused is read on to its end and dropped.
 */
export class Intake {
  readonly #settings: IntakeSettings;
  readonly #name: string;
  readonly #client: string | undefined;
  readonly #decoder: DataDecoder;
  readonly #emit = (piece: Buffer): void => this.#take(piece);
  #headerEnd: HeaderEnd | undefined = new HeaderEnd();
  #pieces = new PieceList();
  #held = 0;
  #file: UploadFile | undefined;
  #refusal: SmtpReply | undefined;
  #size = 0;
  #read = 0;
  #received = 0;
  #ownMark: string | undefined;
  #passes = 0;

  /**
   * @param name unique name of the file, should one be needed
   * @param client whose share of the memory it takes; undefined for one that is trusted
   */
  constructor(settings: IntakeSettings, name: string, client?: string) {
    this.#settings = settings;
    this.#name = name;
    this.#client = client;
    this.#decoder = new DataDecoder(settings.lineEndings);
  }

  /** Bytes of the message so far, in canonical form. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that have come, as they came. */
  get read(): number {
    return this.#read;
  }

  /** @returns the offset behind the end of data, or -1 when it was not in this chunk */
  write(chunk: Buffer): number {
    this.#read += chunk.length;
    return this.#decoder.write(chunk, this.#emit);
  }

  /** Resolves (never rejects) when more bytes may come; undefined when they may now. */
  get pressure(): Promise<void> | undefined {
    return this.#file?.pressure;
  }

  /** To be called once, when the end of data was seen. Never rejects. */
  async finish(): Promise<IntakeResult> {
    if (this.#headerEnd !== undefined && this.#refusal === undefined) this.#scan();
    if (this.#decoder.anomalous && this.#settings.lineEndings === 'reject') {
      this.#refuse({ code: 550, enhanced: '5.6.0', text: lineEndingText(this.#decoder) });
    }
    if (this.#refusal !== undefined) return { kind: 'refused', reply: this.#refusal };
    const report: IntakeReport = {
      anomalies: anomalies(this.#decoder),
      received: this.#received,
      ...(this.#ownMark === undefined ? {} : { ownMark: this.#ownMark }),
      ...(this.#passes === 0 ? {} : { passes: this.#passes }),
    };
    const file = this.#file;
    if (file === undefined) {
      const source = memorySource(this.#pieces.take());
      this.#pieces = new PieceList();
      return { kind: 'message', source, report };
    }
    try {
      await file.finish();
    } catch (cause) {
      await file.discard();
      const reply = { code: 452, enhanced: '4.3.1', text: 'Insufficient system storage, try again later' };
      return { kind: 'refused', reply, cause };
    }
    return { kind: 'message', source: { kind: 'file', path: file.path, size: file.size }, report };
  }

  /**
   * Gives the memory back to the budget and removes the file. To be called when the message is no longer needed or
   * will never be complete; again does no harm. Never rejects.
   */
  async release(): Promise<void> {
    this.#pieces = new PieceList();
    this.#giveBack();
    const file = this.#file;
    this.#file = undefined;
    await file?.discard();
  }

  #take(piece: Buffer): void {
    if (this.#refusal !== undefined) return;
    this.#size += piece.length;
    if (this.#size > this.#settings.maxMessageSize) {
      this.#refuse({
        code: 552,
        enhanced: '5.3.4',
        text: `Message larger than ${this.#settings.maxMessageSize} bytes`,
      });
      return;
    }
    const end = this.#headerEnd?.find(piece);
    if (end === undefined || end < 0) {
      this.#keep(piece);
      if (end !== undefined) this.#boundHeader();
      return;
    }
    this.#keep(piece.subarray(0, end));
    if (this.#size - (piece.length - end) > MAX_HEADER) this.#refuseHeader();
    else this.#scan();
    if (end < piece.length) this.#keep(piece.subarray(end));
  }

  /** For a header block that is still open. */
  #boundHeader(): void {
    if (this.#size > MAX_HEADER) this.#refuseHeader();
    else if (this.#held > SURE_HEADER && this.#settings.budget.isShort(this.#client)) {
      this.#refuse({ code: 452, enhanced: '4.3.1', text: 'No memory for so long a message header, try again later' });
    }
  }

  #refuseHeader(): void {
    this.#refuse({ code: 552, enhanced: '5.3.4', text: `Message header larger than ${MAX_HEADER} bytes` });
  }

  /** Looks through the header block, which is all that has been kept so far. */
  #scan(): void {
    this.#headerEnd = undefined;
    const held = this.#pieces.take();
    const [first] = held;
    const block = held.length === 1 && first !== undefined ? first : Buffer.concat(held);
    const scan = scanHeader(block, this.#settings.writtenHere);
    this.#received = scan.received;
    this.#ownMark = scan.ownMark;
    this.#passes = scan.passes;
    const { received, own, passes } = scan;
    if (received > this.#settings.maxReceived || own > MAX_OWN_RECEIVED || passes > MAX_PASSES) {
      this.#refuse({ code: 554, enhanced: '5.4.6', text: 'Too many hops: this message goes in circles' });
      return;
    }
    this.#pieces = new PieceList();
    for (const piece of scan.pieces) this.#pieces.add(piece);
    this.#spill();
  }

  #keep(piece: Buffer): void {
    if (this.#refusal !== undefined) return;
    if (this.#file !== undefined) {
      this.#file.add(piece);
      return;
    }
    this.#pieces.add(piece);
    this.#held += piece.length;
    this.#settings.budget.count(piece.length, this.#client);
    this.#spill();
  }

  /** Moves the message to a file when it is over the bound. Not before the header block is complete. */
  #spill(): void {
    if (this.#headerEnd !== undefined) return;
    if (this.#held <= MAX_IN_MEMORY && !this.#settings.budget.isShort(this.#client)) return;
    this.#file = new UploadFile(this.#settings.spoolFolder, this.#name);
    for (const piece of this.#pieces.take()) this.#file.add(piece);
    this.#pieces = new PieceList();
    this.#giveBack();
  }

  /** Drops what was kept; the first refusal is the reply. */
  #refuse(reply: SmtpReply): void {
    this.#refusal ??= reply;
    this.#pieces = new PieceList();
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#held > 0) this.#settings.budget.count(-this.#held, this.#client);
    this.#held = 0;
  }
}

function anomalies(decoder: DataDecoder): string[] {
  return [
    ...(decoder.bareCr ? ['bare-cr'] : []),
    ...(decoder.bareLf ? ['bare-lf'] : []),
    ...(decoder.nul ? ['nul'] : []),
  ];
}

function lineEndingText(decoder: DataDecoder): string {
  const what = [
    ...(decoder.bareCr ? ['bare CR'] : []),
    ...(decoder.bareLf ? ['bare LF'] : []),
    ...(decoder.nul ? ['NUL'] : []),
  ];
  return `Message contains ${what.join(', ')}; lines must end in CRLF`;
}
