import { decodeTransfer } from '../decode/transfer.js';
import { decodeValue } from '../decode/header-text.js';
import { isEnclosedMessage, isEncoded, readStructure } from '../structure.js';
import type { MessageObject, OpenProblem, Part, ScanLimits, Structure } from '../types.js';
import { encodingsOf, isAttachment } from './attachment.js';
import { Budget } from './budget.js';
import type { ArchiveEntry, Unpacked } from './entry.js';
import { type Identity } from './identify.js';
import { inspectContent } from './inspect-content.js';
import type { Lister } from './listing.js';
import { extensionOf, PathRegister, printable } from './names.js';
import { DerivedObject } from './object.js';

export interface Walked {
  readonly objects: readonly MessageObject[];
  readonly problems: readonly OpenProblem[];
}

/** Where an object hangs: what holds it, and how deep that is. */
interface Place {
  /** Path of the container, or undefined in the message itself. */
  readonly container: string | undefined;
  readonly depth: number;
  /** Levels of multiparts, messages and archives around the object, as `maxDepth` counts them. */
  readonly level: number;
  /** Part of the outermost attachment; undefined while none is around. */
  readonly part: number | undefined;
}

/** An object before it is known what it is. */
interface Candidate {
  readonly name: string;
  /** Shown in the path where there is no name. */
  readonly fallback: string;
  readonly mime: string;
  readonly place: Place;
  readonly part: number;
  readonly bytes: Buffer | undefined;
  readonly size: number;
  readonly encrypted: boolean;
  /** The bytes are a view of the message: keeping them costs nothing. */
  readonly view: boolean;
  /** What is in it stands in the message's own structure already. */
  readonly descended: boolean;
  derive(): Buffer | undefined;
}

/**
 * Finds all attachments and what is in them, depth first, within the bounds of `limits`. What cannot be opened or goes
 * over a bound is reported as a problem; nothing that the message holds makes this throw.
 * @throws the reason of `signal` when that is aborted
 */
export function walkObjects(bytes: Buffer, structure: Structure, limits: ScanLimits, signal?: AbortSignal): Walked {
  const walker = new Walker(limits, signal);
  walker.message(bytes, structure, { container: undefined, depth: 0, level: 0, part: undefined });
  return { objects: walker.objects, problems: walker.problems };
}

class Walker {
  readonly objects: MessageObject[] = [];
  readonly problems: OpenProblem[] = [];
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
      if (isAttachment(bytes, part)) {
        const path = this.#attachment(bytes, structure, part, place);
        if (isEnclosedMessage(part.type)) {
          inside = { container: path, depth: place.depth + 1, level: place.level, part: place.part ?? part.index };
        }
      }
      places.push(inside);
    }
  }

  /** Adds an attachment under each of its encodings; gives the path of the first. */
  #attachment(bytes: Buffer, structure: Structure, part: Part, place: Place): string {
    let first: string | undefined;
    for (const encoding of encodingsOf(bytes, part)) {
      const decode = (): Buffer => decodeTransfer(bytes, part.body, encoding);
      const content = decode();
      const path = this.#add({
        name: part.filename ?? enclosedName(bytes, structure, part),
        fallback: `part-${part.index + 1}`,
        mime: part.type,
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
    const seen =
      bytes === undefined ? undefined : inspectContent(bytes, candidate.mime, extension, this.#budget, place.level + 1);
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
        extension,
        mime: candidate.mime,
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
    if (bytes === undefined || seen === undefined) return path;
    for (const problem of seen.problems) {
      if (problem.kind === 'limit') this.#limit(problem.bound, path);
      else this.problems.push({ kind: 'error', object: path, detail: problem.detail });
    }
    const inside = { container: path, depth: place.depth + 1, level: place.level + 1, part: candidate.part };
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
    const structure = readStructure(bytes, { maxDepth, maxParts: this.#limits.maxParts });
    for (const { name } of structure.anomalies) {
      if (name === 'too-deep' || name === 'too-many-parts' || name === 'too-complex') {
        this.problems.push({ kind: 'limit', object: path, detail: `the message in it is over a bound (${name})` });
      }
    }
    this.message(bytes, structure, inside);
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
    if (listing.stopped !== undefined) this.#limit(listing.stopped, object.path);
    if (listing.cut) {
      this.#limit('entries', object.path);
      this.#full = true;
    }
  }

  #entry(archive: MessageObject, archiveBytes: Buffer, entry: ArchiveEntry, place: Place): void {
    const { bytes: max, bound } = this.#budget.allowance(entry.packed);
    const result: Unpacked | undefined = entry.encrypted ? undefined : entry.unpack(archiveBytes, max);
    const bytes = result === undefined || result.kind === 'over' ? undefined : result.bytes;
    if (result !== undefined) this.#budget.charge(result, max);
    const path = this.#add({
      name: entry.name,
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

/** A name for an enclosed message that has none: clients show its subject. */
function enclosedName(bytes: Buffer, structure: Structure, part: Part): string {
  if (!isEnclosedMessage(part.type)) return '';
  const child = isEncoded(part.encoding) ? undefined : structure.parts[part.children[0] ?? -1];
  const subject = child?.fields.find(({ key }) => key === 'subject');
  const text = subject === undefined ? '' : decodeValue(bytes, subject.value).replace(/[\\/:*?"<>|]/g, '_');
  return `${text === '' ? 'message' : text.slice(0, 100)}.eml`;
}
