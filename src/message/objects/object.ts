import type { MessageObject, ObjectType } from '../types.js';

/** What is known of an object before it is a public one. */
export type ObjectFacts = Required<Omit<MessageObject, 'content'>>;

/** An object whose bytes are kept, or made again each time. */
export class DerivedObject implements MessageObject {
  readonly path: string;
  readonly name: string;
  readonly otherNames: readonly string[];
  readonly extension: string;
  readonly mime: string;
  readonly otherMimes: readonly string[];
  readonly type: ObjectType;
  readonly format: string;
  readonly size: number;
  readonly depth: number;
  readonly encrypted: boolean;
  readonly macro: boolean;
  readonly part: number;
  readonly #kept: Buffer | undefined;
  readonly #derive: (() => Buffer | undefined) | undefined;

  /**
   * @param kept the decoded bytes, when they may stay in memory
   * @param derive makes them again; absent when they cannot be had
   */
  constructor(facts: ObjectFacts, kept: Buffer | undefined, derive: (() => Buffer | undefined) | undefined) {
    this.path = facts.path;
    this.name = facts.name;
    this.otherNames = facts.otherNames;
    this.extension = facts.extension;
    this.mime = facts.mime;
    this.otherMimes = facts.otherMimes;
    this.type = facts.type;
    this.format = facts.format;
    this.size = facts.size;
    this.depth = facts.depth;
    this.encrypted = facts.encrypted;
    this.macro = facts.macro;
    this.part = facts.part;
    this.#kept = kept;
    this.#derive = derive;
  }

  content(): Buffer | undefined {
    return this.#kept ?? this.#derive?.();
  }
}
