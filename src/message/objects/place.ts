import type { ObjectType } from '../types.js';

/** Where an object hangs: what holds it, and how deep that is. */
export interface Place {
  /** Path of the container, or undefined in the message itself. */
  readonly container: string | undefined;
  readonly depth: number;
  /** Levels of multiparts, messages and archives around the object, as `maxDepth` counts them. */
  readonly level: number;
  /** Part of the outermost attachment; undefined while none is around. */
  readonly part: number | undefined;
  /** An archive or a document is around. */
  readonly archived?: boolean;
}

/** An object before it is known what it is. */
export interface Candidate {
  readonly name: string;
  readonly otherNames?: readonly string[];
  /** Shown in the path where there is no name. */
  readonly fallback: string;
  readonly mime: string;
  readonly otherMimes?: readonly string[];
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

/** What lies in these is not shown with the message. */
export const ARCHIVING: ReadonlySet<ObjectType> = new Set([
  'archive',
  'disk-image',
  'document',
  'spreadsheet',
  'presentation',
]);
