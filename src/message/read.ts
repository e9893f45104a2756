import { parseAddresses } from './addresses.js';
import { isAmbiguous } from './ambiguous.js';
import { bodiesOf, bodyText, readBodies, type BodyPart } from './body-text.js';
import { furtherBodies } from './further-bodies.js';
import { decodeValue, rawValue } from './decode/header-text.js';
import { extractLinks } from './links/extract.js';
import { walkObjects, type Walked } from './objects/walk.js';
import type { SecondReading } from './second-opinion.js';
import { readHeaderOnly, readStructure } from './structure.js';
import { AnomalyLog } from './structure/anomaly-log.js';
import type {
  EnclosedBody,
  Anomaly,
  HeaderField,
  MailAddress,
  Message,
  MessageLinks,
  MessageObject,
  MessageText,
  OpenProblem,
  ScanLimits,
  Structure,
} from './types.js';

export interface ReadOptions {
  /** `header` reads the top header block alone: no parts, no objects, no problems. Default `full`. */
  readonly depth?: 'full' | 'header';
  /** Looked at before each object is opened; when aborted, `objects` and `problems` throw its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a message. The structure is read at once, everything else when it is first asked for, and once. Never throws,
 * whatever the bytes are.
 * @param bytes in canonical form: CRLF line ends, no bare CR or LF, no NUL
 */
export function readMessage(bytes: Buffer, limits: ScanLimits, options: ReadOptions = {}): Message {
  return new ReadMessage(bytes, limits, options);
}

const NOTHING: Walked = { objects: [], problems: [], enclosedBodies: [], anomalies: [] };

class ReadMessage implements Message {
  readonly bytes: Buffer;
  readonly structure: Structure;
  readonly #limits: ScanLimits;
  readonly #headerOnly: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #values = new Map<string, readonly string[]>();
  readonly #addresses = new Map<string, readonly MailAddress[]>();
  #fields: ReadonlyMap<string, readonly HeaderField[]> | undefined;
  #second: SecondReading | undefined;
  #walked: Walked | undefined;
  #bodies: readonly BodyPart[] | undefined;
  #text: MessageText | undefined;
  #links: MessageLinks | undefined;

  constructor(bytes: Buffer, limits: ScanLimits, options: ReadOptions) {
    this.bytes = bytes;
    this.#limits = limits;
    this.#headerOnly = options.depth === 'header';
    this.#signal = options.signal;
    this.structure = this.#headerOnly ? readHeaderOnly(bytes) : readStructure(bytes, limits);
  }

  get subject(): string {
    return this.header('subject')[0] ?? '';
  }

  get messageId(): string {
    const value = this.header('message-id')[0] ?? '';
    return value.startsWith('<') && value.endsWith('>') ? value.slice(1, -1).trim() : value;
  }

  header(name: string): readonly string[] {
    const key = name.toLowerCase();
    let values = this.#values.get(key);
    if (values === undefined) {
      values = this.#fieldsOf(key).map((field) => decodeValue(this.bytes, field.value));
      this.#values.set(key, values);
    }
    return values;
  }

  addresses(name: string): readonly MailAddress[] {
    const key = name.toLowerCase();
    let list = this.#addresses.get(key);
    if (list === undefined) {
      list = this.#fieldsOf(key).flatMap((field) => parseAddresses(rawValue(this.bytes, field.value)));
      this.#addresses.set(key, list);
    }
    return list;
  }

  get objects(): readonly MessageObject[] {
    return this.#walk().objects;
  }

  get problems(): readonly OpenProblem[] {
    return this.#walk().problems;
  }

  get enclosedBodies(): readonly EnclosedBody[] {
    return this.#walk().enclosedBodies;
  }

  get anomalies(): readonly Anomaly[] {
    const walked = this.#walk().anomalies;
    const found = walked.length === 0 ? this.structure.anomalies : [...this.structure.anomalies, ...walked];
    if (this.#second === undefined) return found;
    const log = new AnomalyLog();
    if (this.#second.failure !== undefined) log.add('unparseable', this.#second.failure);
    if (furtherBodies(this.#second, this.#ownBodies()).length > 0) log.add('second-reading-differs', 'the text');
    return [...found, ...log.list()];
  }

  async secondOpinion(limit: number): Promise<void> {
    if (this.#headerOnly || this.#second !== undefined || !isAmbiguous(this.structure)) return;
    // Loaded only where it is needed: ordinary mail does without.
    const { readAgain } = await import('./second-opinion.js');
    this.#second = await readAgain(this.bytes, AbortSignal.timeout(limit));
    this.#walked = undefined;
    this.#bodies = undefined;
    this.#text = undefined;
  }

  text(): Promise<MessageText> {
    this.#text ??= bodyText(this.#readBodies());
    return Promise.resolve(this.#text);
  }

  links(): MessageLinks {
    this.#links ??= extractLinks(
      this.#readBodies(),
      this.objects,
      this.enclosedBodies.filter(({ archived }) => archived),
    );
    return this.#links;
  }

  #readBodies(): readonly BodyPart[] {
    if (this.#second === undefined) return this.#ownBodies();
    const own = this.#ownBodies();
    return [...own, ...furtherBodies(this.#second, own)];
  }

  #ownBodies(): readonly BodyPart[] {
    this.#bodies ??= this.#headerOnly
      ? []
      : [...readBodies(this.bytes, this.structure), ...bodiesOf(this.enclosedBodies.filter((body) => !body.archived))];
    return this.#bodies;
  }

  #walk(): Walked {
    if (this.#headerOnly) return NOTHING;
    this.#walked ??= walkObjects(this.bytes, this.structure, this.#limits, this.#signal, this.#second?.attachments);
    return this.#walked;
  }

  #fieldsOf(key: string): readonly HeaderField[] {
    if (this.#fields === undefined) {
      const fields = new Map<string, HeaderField[]>();
      for (const field of this.structure.root.fields) {
        const list = fields.get(field.key);
        if (list === undefined) fields.set(field.key, [field]);
        else list.push(field);
      }
      this.#fields = fields;
    }
    return this.#fields.get(key) ?? [];
  }
}
