import type { AnomalyName } from './anomalies.js';

/** Half-open range of byte offsets in the message. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface HeaderField {
  /** Field name as written. */
  readonly name: string;
  /** Field name in lower case. */
  readonly key: string;
  /** From the first byte of the name to behind the final CRLF, folded lines included. */
  readonly range: ByteRange;
  /** From behind the colon to before the final CRLF. */
  readonly value: ByteRange;
}

/** One node of the MIME tree, as byte ranges into the message. */
export interface Part {
  /** Position in `Structure.parts`; the root is 0. Parents come before their children. */
  readonly index: number;
  readonly parent?: number;
  readonly children: readonly number[];
  readonly depth: number;
  /** Header, empty line and body; without the boundary lines around it. */
  readonly range: ByteRange;
  readonly header: ByteRange;
  readonly fields: readonly HeaderField[];
  readonly body: ByteRange;
  /** Media type in lower case, such as `text/plain`; the default of RFC 2045 5.2 where none or an unreadable one is given. */
  readonly type: string;
  /** Content-Type parameters, decoded (RFC 2231, RFC 2047 as seen in the wild); keys in lower case. */
  readonly params: ReadonlyMap<string, string>;
  /** Content-Disposition in lower case, or the empty string. */
  readonly disposition: string;
  /** File name from Content-Disposition, else from Content-Type, decoded; absent when none is given. */
  readonly filename?: string;
  /** Further names by which one reader or another shows the part: of repeated, conflicting or malformed parameters. */
  readonly otherNames?: readonly string[];
  /** Media types under further readings. */
  readonly otherTypes?: readonly string[];
  /** Further charsets under which readers may see the text, where the parameter or the field is repeated. */
  readonly otherCharsets?: readonly string[];
  /** Content-Transfer-Encoding in lower case; `7bit` where none is given. */
  readonly encoding: string;
  /** Further transfer encodings that readers may undo, where the field is repeated or malformed. */
  readonly otherEncodings?: readonly string[];
  /**
   * The part exists only under a second reading of an ambiguous structure. Its bytes may overlap those of other parts;
   * its parent is the part that can be read in two ways.
   */
  readonly alternative?: boolean;
  /** What was made of it and is wanted again: not in a WeakMap, which holds on to it longer than to the part. */
  readonly kept?: { body?: Buffer };
}

export interface Anomaly {
  /** Name that rules match, such as `duplicate-from`; documented in docs/anomalies.md. */
  readonly name: AnomalyName;
  readonly detail?: string;
  /** Path of the object that it is about; absent when it is about the message. */
  readonly object?: string;
}

/** The MIME tree of a message. */
export interface Structure {
  /** All parts in order of appearance; the first one is the message itself. */
  readonly parts: readonly Part[];
  readonly root: Part;
  readonly anomalies: readonly Anomaly[];
}

/** True type by content; see `attachment.type` in the rule language. */
export type ObjectType =
  | 'executable'
  | 'archive'
  | 'document'
  | 'spreadsheet'
  | 'presentation'
  | 'image'
  | 'audio'
  | 'video'
  | 'script'
  | 'database'
  | 'disk-image'
  | 'encrypted'
  | 'text'
  | 'other';

/** An attachment, or an entry of an archive in one, at any depth. */
export interface MessageObject {
  /** Names from the outermost attachment inwards: `invoice.zip/setup.exe`. Unique within a message. */
  readonly path: string;
  /** Path inside the innermost container (for an attachment: its file name), decoded, as claimed. */
  readonly name: string;
  /** Further names by which one reader or another shows it. */
  readonly otherNames?: readonly string[];
  /** In lower case, without the dot; empty when there is none. */
  readonly extension: string;
  /** Media type that the message claims, in lower case; empty for archive entries. */
  readonly mime: string;
  /** Further media types that it claims. */
  readonly otherMimes?: readonly string[];
  readonly type: ObjectType;
  /** Finer type where known, such as `zip`, `pe`, `pdf`, `docx`. */
  readonly format: string;
  /** Decoded size in bytes; for an entry that could not be opened, the size it claims. */
  readonly size: number;
  /** 0 for an attachment of the message itself, 1 for an entry of an archive in it, and so on. */
  readonly depth: number;
  readonly encrypted: boolean;
  readonly macro: boolean;
  /** Index in `Structure.parts` of the outermost attachment that contains the object. */
  readonly part: number;
  /** Decoded bytes; undefined when they cannot be had (encrypted, over a bound, damaged). Decoded once and kept within a bound, again otherwise. */
  content(): Buffer | undefined;
}

/** Something that could not be looked into: becomes a `scan-error` finding. */
export interface OpenProblem {
  readonly kind: 'limit' | 'error';
  /** Path of the object, or undefined for the message as a whole. */
  readonly object?: string;
  readonly detail: string;
}

export interface MailAddress {
  /** Address, as written; empty when a group or name has none. */
  readonly address: string;
  /** Display name, decoded. */
  readonly name: string;
}

export interface MessageText {
  /** Decoded text parts, and HTML parts rendered to text, in order, joined by line feeds. */
  readonly text: string;
  /** Decoded HTML parts as they stand. */
  readonly html: readonly string[];
}

/**
 * How a link comes to be: `href` is clicked, `form` is what a form is sent to, `refresh` goes there by itself, `text` is
 * an address in running text, of which clients make a link. `src` and `css` are loaded when the message is shown,
 * `script` stands in a script.
 */
export type LinkKind = 'href' | 'form' | 'refresh' | 'text' | 'src' | 'css' | 'script';

export interface Link {
  /** As a browser would take it (WHATWG URL); where that fails, as it was written. */
  readonly url: string;
  /** As it was written, with references of HTML decoded. */
  readonly raw: string;
  /** Host in lower case, international names in ASCII form, IP addresses in their usual form; empty where there is none. */
  readonly domain: string;
  /** What a reader sees of the link, white space as blanks; cut after 300 characters. */
  readonly text: string;
  readonly kind: LinkKind;
  /** Index in `Structure.parts`. */
  readonly part: number;
  /** Path of the attachment or archive entry that the link is in; absent for the body. */
  readonly object?: string;
  /** A form that asks for a password. */
  readonly password?: true;
}

export interface MessageLinks {
  /** In order of appearance; one that is repeated with the same text stands once. */
  readonly list: readonly Link[];
  /** False when there are more than are kept. */
  readonly complete: boolean;
}

/**
 * A text part of a message that was enclosed in encoded form, signed, or kept in an archive: it stands in no part of
 * `Structure`, and is no attachment either.
 */
export interface EnclosedBody {
  /** Path of the object that is the enclosed message. */
  readonly object: string;
  /** Index in `Structure.parts` of the outermost attachment that contains it. */
  readonly part: number;
  /** Media type in lower case. */
  readonly mime: string;
  /** As declared; empty when none is. */
  readonly charset: string;
  /** Decoded bytes. */
  readonly content: Buffer;
  /** It lies in an archive or document, so that no client shows it with the message. */
  readonly archived: boolean;
}

/** A message that has been read once: everything else is derived lazily from it. */
export interface Message {
  /** The canonical bytes: what was scanned and what is delivered. */
  readonly bytes: Buffer;
  readonly structure: Structure;
  /** Decoded subject, unfolded; empty when there is none. */
  readonly subject: string;
  /** Message-ID without angle brackets; empty when there is none. */
  readonly messageId: string;
  /** Decoded values of all fields of that name (any case), unfolded, in order of appearance. */
  header(name: string): readonly string[];
  /** Addresses of all fields of that name (any case). */
  addresses(name: string): readonly MailAddress[];
  /** All attachments and archive entries, each before its own entries. */
  readonly objects: readonly MessageObject[];
  readonly problems: readonly OpenProblem[];
  /** Texts of messages inside attachments, as far as `structure` does not show them. */
  readonly enclosedBodies: readonly EnclosedBody[];
  /** What is wrong with the structure, and what decoding and opening showed besides. */
  readonly anomalies: readonly Anomaly[];
  /**
   * Where the structure could hide a part, lets a second reader look at the message; what only that one sees is in
   * `objects` and `text` from then on. To be awaited before those are asked for. Never rejects.
   * @param limit ms after which the second reader is stopped; what it read until then stays
   */
  secondOpinion(limit: number): Promise<void>;
  /** Decoded text of the body, read when first asked for. Rejects when no parser can read it. */
  text(): Promise<MessageText>;
  /** Links of the body and of HTML attachments, read when first asked for. */
  links(): MessageLinks;
}

/** Bounds of `scan` in gatepost.yaml. Sizes in bytes. */
export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxParts: number;
  readonly maxArchiveEntries: number;
  readonly maxUnpacked: number;
}

/** Replaces the bytes of a range. Edits of one message do not overlap and stand in order. */
export interface Edit extends ByteRange {
  readonly insert: Uint8Array;
}
