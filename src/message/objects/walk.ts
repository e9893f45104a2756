import { charsetsOf } from '../body-text.js';
import { bodyOf } from '../decode/part-body.js';
import { decodeTransfer, STOPPED_BASE64 } from '../decode/transfer.js';
import { isEnclosedMessage, isEncoded, readStructure } from '../structure.js';
import { AnomalyLog } from '../structure/anomaly-log.js';
import { hasOverlong } from '../structure/overlong.js';
import { isKnownEncoding } from '../structure/transfer-encodings.js';
import type { Anomaly, EnclosedBody, MessageObject, OpenProblem, Part, ScanLimits, Structure } from '../types.js';
import { aroundParts } from './around-parts.js';
import { encodingsOf, isAttachment, isBodyText } from './attachment.js';
import { Budget } from './budget.js';
import { asMessage, givenName, hiddenMessage, isBodyOf, messagesIn } from './enclosed.js';
import { type ArchiveEntry, unpackWithin } from './entry.js';
import { type Identity } from './identify.js';
import { filesIn, TOO_MANY } from './inline-text.js';
import { inspectContent } from './inspect-content.js';
import type { Lister } from './listing.js';
import { extensionOf, PathRegister, printable } from './names.js';
import { DerivedObject } from './object.js';
import { isLost } from './claimed-archive.js';
import { noteObject } from './object-anomalies.js';
import { ARCHIVING, type Candidate, type Place } from './place.js';
import { runsByName } from './text-kind.js';

export interface Walked {
  readonly objects: readonly MessageObject[];
  readonly problems: readonly OpenProblem[];
  readonly enclosedBodies: readonly EnclosedBody[];
  /** What decoding and opening showed, besides what the structure did. */
  readonly anomalies: readonly Anomaly[];
}

/** An attachment that another reader of the message saw. */
export interface OtherAttachment {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Buffer;
}

/**
 * Finds all attachments and what is in them, depth first, within the bounds of `limits`. What cannot be opened or goes
 * over a bound is reported as a problem; nothing that the message holds makes this throw.
 * @param others what a second reader saw; those that differ from the ones found here are objects as well
 * @throws the reason of `signal` when that is aborted
 */
export function walkObjects(
  bytes: Buffer,
  structure: Structure,
  limits: ScanLimits,
  signal?: AbortSignal,
  others: readonly OtherAttachment[] = [],
): Walked {
  const walker = new Walker(limits, signal);
  walker.message(bytes, structure, { container: undefined, depth: 0, level: 0, part: undefined });
  if (others.length > 0) walker.others(bytes, structure, others);
  const { objects, problems, enclosedBodies } = walker;
  return { objects, problems, enclosedBodies, anomalies: walker.anomalies.list() };
}

class Walker {
  readonly objects: MessageObject[] = [];
  readonly problems: OpenProblem[] = [];
  readonly enclosedBodies: EnclosedBody[] = [];
  readonly anomalies = new AnomalyLog();
  readonly #budget: Budget;
  readonly #limits: ScanLimits;
  readonly #paths = new PathRegister();
  readonly #signal: AbortSignal | undefined;
  /** The bound on entries was passed: the rest of the archives stays closed, and is reported. */
  #full = false;

  constructor(limits: ScanLimits, signal: AbortSignal | undefined) {
    this.#budget = new Budget(limits);
    this.#limits = limits;
    this.#signal = signal;
  }

  /** The attachments of a message: of the one that is scanned, or of one that was enclosed in encoded form. */
  message(bytes: Buffer, structure: Structure, base: Place): void {
    const places: Place[] = [];
    for (const part of structure.parts) {
      const above = part.parent === undefined ? base : (places[part.parent] ?? base);
      const place = { ...above, level: base.level + part.depth };
      let inside = place;
      if (!isAttachment(bytes, part)) {
        this.#bodyPart(bytes, part, place);
        for (const text of aroundParts(bytes, structure, part)) this.#inlineFiles(text, part, place);
        if (base.container !== undefined) this.#enclosedBody(bytes, part, place);
        const hidden = hiddenMessage(bytes, structure, part);
        if (hidden !== undefined) {
          const path = `part-${part.index + 1}`;
          const container = place.container === undefined ? path : `${place.container}/${path}`;
          this.#enclosed(hidden, container, {
            ...place,
            container,
            level: place.level + 1,
            part: place.part ?? part.index,
          });
        }
      } else {
        const path = this.#attachment(bytes, structure, part, place);
        if (base.container !== undefined && part.filename === undefined && isBodyText(part))
          this.#enclosedBody(bytes, part, place);
        if (isEnclosedMessage(part.type)) {
          inside = { container: path, depth: place.depth + 1, level: place.level, part: place.part ?? part.index };
        }
      }
      places.push(inside);
    }
  }

  /** Attachments of another reading, as far as they are not known. */
  others(bytes: Buffer, structure: Structure, others: readonly OtherAttachment[]): void {
    const known = [...this.objects];
    for (const other of others) {
      const same = known.filter(
        (object) => object.size === other.bytes.length && object.content()?.equals(other.bytes),
      );
      if (same.some((object) => other.name === '' || namesOf(object).includes(other.name))) continue;
      if (same.length === 0 && isBodyOf(bytes, structure, other.bytes)) continue;
      this.anomalies.add('second-reading-differs', 'an attachment');
      this.#add({
        name: other.name,
        fallback: 'second-reading',
        mime: other.mime,
        place: { container: undefined, depth: 0, level: 0, part: undefined },
        // Nobody knows where it stands: only the whole body can be removed, unless its bytes are known.
        part: same[0]?.part ?? 0,
        bytes: other.bytes,
        size: other.bytes.length,
        encrypted: false,
        view: false,
        descended: false,
        derive: () => other.bytes,
      });
    }
  }

  /** Text of the message: its encoding is checked, and files that stand in it are attachments to some clients. */
  #bodyPart(bytes: Buffer, part: Part, place: Place): void {
    if (part.encoding === 'base64') this.#noteBase64(bytes, part);
    if (!part.type.startsWith('text/')) return;
    const text = bodyOf(bytes, part);
    if (/^utf-?8$/i.test(part.params.get('charset') ?? '') && hasOverlong(text))
      this.anomalies.add('overlong-utf8', 'text');
    this.#inlineFiles(text, part, place);
  }

  #inlineFiles(text: Buffer, part: Part, place: Place): void {
    const { files, cut } = filesIn(text);
    const object = place.container ?? `part-${part.index + 1}`;
    if (cut) this.problems.push({ kind: 'limit', object, detail: TOO_MANY });
    for (const file of files) {
      // Calendars and cards carry files by right.
      if (file.how !== 'property') this.anomalies.add('encoded-file-in-text', file.how);
      const content = file.decode();
      const path = this.#add({
        name: file.name,
        fallback: `part-${part.index + 1}-${file.how}`,
        mime: file.mime ?? '',
        place,
        part: place.part ?? part.index,
        bytes: content,
        size: content?.length ?? 0,
        encrypted: false,
        view: false,
        descended: false,
        derive: () => file.decode(),
      });
      if (content === undefined)
        this.problems.push({ kind: 'error', object: path, detail: `unscannable: ${file.how} cannot be opened` });
    }
  }

  /** The text of a message inside an attachment: who goes by the outer structure never gets there. */
  #enclosedBody(bytes: Buffer, part: Part, place: Place): void {
    if (!part.type.startsWith('text/') || place.container === undefined) return;
    const content = bodyOf(bytes, part);
    if (content.length === 0) return;
    if (!this.#budget.keep(content.length)) {
      const detail = 'the text of the message in it is too large';
      this.problems.push({ kind: 'limit', object: place.container, detail });
      return;
    }
    for (const charset of charsetsOf(part)) {
      this.enclosedBodies.push({
        object: place.container,
        part: place.part ?? 0,
        mime: part.type,
        charset,
        content,
        archived: place.archived === true,
      });
    }
  }

  #noteBase64(bytes: Buffer, part: Part): void {
    const oddities = { illegal: false, stopsAt: -1 };
    decodeTransfer(bytes, part.body, 'base64', oddities);
    if (oddities.illegal) this.anomalies.add('illegal-base64');
    if (oddities.stopsAt >= 0) this.anomalies.add('base64-after-padding');
  }

  /** Adds an attachment under each of its encodings; gives the path of the first. */
  #attachment(bytes: Buffer, structure: Structure, part: Part, place: Place): string {
    let first: string | undefined;
    const encodings = [...encodingsOf(bytes, part)];
    if (encodings.length > 1 && part.otherEncodings === undefined && isKnownEncoding(part.encoding))
      this.anomalies.add('undeclared-encoding');
    for (const encoding of encodings) {
      const decode = (): Buffer => decodeTransfer(bytes, part.body, encoding);
      const oddities = { illegal: false, stopsAt: -1 };
      const content = decodeTransfer(bytes, part.body, encoding, oddities);
      if (oddities.illegal) this.anomalies.add('illegal-base64');
      if (oddities.stopsAt >= 0) {
        this.anomalies.add('base64-after-padding');
        encodings.push(STOPPED_BASE64);
      }
      const path = this.#add({
        name: part.filename ?? part.otherNames?.[0] ?? givenName(bytes, structure, part),
        ...(part.otherNames === undefined ? {} : { otherNames: part.otherNames }),
        fallback: `part-${part.index + 1}`,
        mime: part.type,
        ...(part.otherTypes === undefined ? {} : { otherMimes: part.otherTypes }),
        place,
        part: place.part ?? part.index,
        bytes: content,
        size: content.length,
        encrypted: false,
        view: content.buffer === bytes.buffer,
        descended: isEnclosedMessage(part.type) && part.children.length > 0,
        derive: decode,
      });
      first ??= path;
      if (
        isEncoded(encoding) &&
        [part.type, ...(part.otherTypes ?? [])].some((type) => type.startsWith('multipart/'))
      ) {
        const inside = {
          container: path,
          depth: place.depth + 1,
          level: place.level + 1,
          part: place.part ?? part.index,
        };
        this.#enclosed(asMessage(bytes, part, content), path, inside);
      }
    }
    return first ?? '';
  }

  /** Adds an object and what is in it; gives its path. */
  #add(candidate: Candidate): string {
    this.#signal?.throwIfAborted();
    const { name, place, bytes } = candidate;
    const shown = printable(name === '' ? candidate.fallback : name);
    const path = this.#paths.unique(place.container === undefined ? shown : `${place.container}/${shown}`);
    const extension = extensionOf(name);
    const { otherNames = [], otherMimes = [] } = candidate;
    // Under one of its names it may run.
    const decisive = [extension, ...otherNames.map(extensionOf)].find(runsByName) ?? extension;
    const claims = { mime: candidate.mime, extension: decisive, names: [name, ...otherNames] };
    const seen = bytes === undefined ? undefined : inspectContent(bytes, claims, this.#budget, place.level + 1);
    const identity: Identity = seen?.identity ?? {
      type: candidate.encrypted ? 'encrypted' : 'other',
      format: '',
      encrypted: candidate.encrypted,
      macro: false,
    };
    const keep = bytes !== undefined && (candidate.view || this.#budget.keep(bytes.length));
    const object = new DerivedObject(
      {
        path,
        name,
        otherNames: otherNames.filter((other) => other !== name),
        extension,
        mime: candidate.mime,
        otherMimes,
        type: identity.type,
        format: identity.format,
        size: candidate.size,
        depth: place.depth,
        encrypted: identity.encrypted || candidate.encrypted,
        macro: identity.macro,
        part: candidate.part,
      },
      keep ? bytes : undefined,
      bytes === undefined ? undefined : () => candidate.derive(),
    );
    this.objects.push(object);
    noteObject(object, this.anomalies);
    if (bytes === undefined || seen === undefined) return path;
    for (const anomaly of seen.anomalies ?? []) this.anomalies.add(anomaly, undefined, path);
    for (const problem of seen.problems) {
      if (problem.kind === 'limit') this.#limit(problem.bound, path);
      else this.problems.push({ kind: 'error', object: path, detail: problem.detail });
    }
    const inside = {
      container: path,
      depth: place.depth + 1,
      level: place.level + 1,
      part: candidate.part,
      archived: place.archived === true || ARCHIVING.has(identity.type),
    };
    if (candidate.descended) return path;
    if (seen.opens === 'message') this.#enclosed(bytes, path, inside);
    else if (seen.opens !== undefined) this.#archive(object, bytes, seen.opens, inside);
    return path;
  }

  #enclosed(bytes: Buffer, path: string, inside: Place): void {
    if (inside.level > this.#budget.maxDepth) {
      this.#limit('depth', path);
      return;
    }
    const maxDepth = this.#budget.maxDepth - inside.level;
    const { messages, anomalies } = messagesIn(bytes);
    for (const name of anomalies) this.anomalies.add(name, undefined, path);
    let isFirst = true;
    for (const message of messages) {
      if (!isFirst && !this.#budget.takeEntry()) {
        this.#limit('entries', path);
        return;
      }
      isFirst = false;
      const structure = readStructure(message, { maxDepth, maxParts: this.#limits.maxParts });
      for (const { name, detail } of structure.anomalies) {
        if (name !== 'missing-from') this.anomalies.add(name, detail, path);
        if (name === 'too-deep' || name === 'too-many-parts' || name === 'too-complex') {
          this.problems.push({ kind: 'limit', object: path, detail: `the message in it is over a bound (${name})` });
        }
      }
      this.message(message, structure, inside);
    }
  }

  #archive(object: MessageObject, bytes: Buffer, list: Lister, inside: Place): void {
    if (inside.level > this.#budget.maxDepth) {
      this.#limit('depth', object.path);
      return;
    }
    if (this.#full) {
      this.#limit('entries', object.path);
      return;
    }
    const listing = list(bytes, this.#budget, object.name === '' ? object.path : object.name);
    for (const detail of listing.damage) this.problems.push({ kind: 'error', object: object.path, detail });
    for (const entry of listing.entries) {
      if (!this.#budget.takeEntry()) {
        this.#limit('entries', object.path);
        this.#full = true;
        return;
      }
      this.#entry(object, bytes, entry, inside);
    }
    if (isLost(object, listing))
      this.problems.push({ kind: 'error', object: object.path, detail: 'unscannable: no file is found in it' });
    if (listing.stopped !== undefined) this.#limit(listing.stopped, object.path);
    if (listing.cut) {
      this.#limit('entries', object.path);
      this.#full = true;
    }
  }

  #entry(archive: MessageObject, archiveBytes: Buffer, entry: ArchiveEntry, place: Place): void {
    const { bytes: max, bound } = this.#budget.allowance(entry.packed);
    const result = entry.encrypted ? undefined : unpackWithin(entry, archiveBytes, max);
    const bytes = result === undefined || result.kind === 'over' ? undefined : result.bytes;
    if (result !== undefined) this.#budget.charge(result, max);
    const path = this.#add({
      name: entry.name,
      ...(entry.otherNames === undefined ? {} : { otherNames: entry.otherNames }),
      fallback: 'unnamed',
      mime: '',
      place,
      part: place.part ?? 0,
      bytes,
      size: bytes?.length ?? entry.claimed,
      encrypted: entry.encrypted,
      view: false,
      descended: false,
      derive: () => {
        const again = archive.content();
        if (again === undefined) return undefined;
        const unpacked = entry.unpack(again, max);
        return unpacked.kind === 'over' ? undefined : unpacked.bytes;
      },
    });
    if (result?.kind === 'over') {
      this.#limit(bound, path);
    } else if (result?.kind === 'damaged') {
      this.problems.push({ kind: 'error', object: path, detail: result.detail });
    }
  }

  #limit(bound: 'ratio' | 'unpacked' | 'entries' | 'depth', object: string): void {
    this.problems.push({ kind: 'limit', object, detail: this.#budget.explain(bound) });
  }
}

function namesOf(object: MessageObject): readonly string[] {
  return [object.name, ...(object.otherNames ?? [])];
}
