import type { ArchiveEntry } from '../entry.js';
import { fieldCodes, startsProgram } from './field-codes.js';
import { isRemote } from './text-commands.js';

/** Parts of one document that are looked into, and how large each may be. */
const MAX_PARTS = 60;
const MAX_TEXT = 8 * 1024 * 1024;
/** The content types and relationships under which Office finds macros, whatever the parts are called. */
const MACRO_TYPE =
  /vnd\.ms-office\.vbaproject|vnd\.ms-excel\.(?:intl)?macrosheet|relationships\/(?:vbaProject|xlMacrosheet|xlIntlMacrosheet)/i;
const RELATIONS = /^(?:_rels|(?:word|xl|ppt|visio)\/_rels)\/[^/]*\.rels$/;
/** Parts of a text that hold fields, and parts of a workbook that hold links; not what they look like, nor the cells. */
const WITH_FIELDS = /^word\/(?!styles|theme\/|settings|fonttable|numbering|websettings|media\/)[^/]*\.xml$/;
const WITH_LINKS =
  /^xl\/(?!worksheets\/|sharedstrings|styles|theme\/|charts\/|drawings\/|media\/|tables\/|pivot|calcchain)[^]*\.xml$/;
/** Relationships whose target is a file of its own inside the document, or is fetched when the document is opened. */
const OBJECT = /relationships\/(?:oleObject|package|control|activeXControlBinary|afChunk)$/i;
const FETCHED = /relationships\/(?:attachedTemplate|oleObject|frame|subDocument|afChunk)$/i;

/** What the parts of an OOXML document say about what it does. */
export interface PartCommands {
  readonly macro: boolean;
  /** It has a template or an object fetched from another machine. */
  readonly remote: boolean;
  /** Names, in lower case, of parts that hold a file of its own by their relationships. */
  readonly objects: ReadonlySet<string>;
}

/**
 * Looks into the parts of a document (ECMA-376 part 2) that say what it runs.
 * @param names of all entries, in lower case, in the order of `entries`
 * @param read gives a part as text; empty when it cannot be had
 */
export function partCommands(
  entries: readonly ArchiveEntry[],
  names: readonly string[],
  read: (entry: ArchiveEntry, max: number) => string,
): PartCommands {
  let macro = false;
  let remote = false;
  const objects = new Set<string>();
  let looked = 0;
  for (const [index, name] of names.entries()) {
    const entry = entries[index];
    if (entry === undefined || looked >= MAX_PARTS) break;
    const isTypes = name === '[content_types].xml';
    if (isTypes || RELATIONS.test(name)) {
      looked += 1;
      const text = read(entry, MAX_TEXT);
      macro ||= MACRO_TYPE.test(text);
      if (!isTypes && addRelations(text, objects)) remote = true;
    } else if (WITH_FIELDS.test(name)) {
      looked += 1;
      macro ||= startsProgram(fieldCodes(read(entry, MAX_TEXT)));
    } else if (WITH_LINKS.test(name)) {
      looked += 1;
      macro ||= /<(?:\w{1,20}:)?ddeLink\b/.test(read(entry, MAX_TEXT));
    }
  }
  return { macro, remote, objects };
}

/** Notes targets that are files of their own; true when one is fetched from elsewhere. */
function addRelations(text: string, objects: Set<string>): boolean {
  let remote = false;
  for (const [element] of text.matchAll(/<(?:\w{1,20}:)?Relationship\s[^>]{1,4000}>/g)) {
    const type = attribute(element, 'Type');
    const target = attribute(element, 'Target');
    if (/TargetMode\s*=\s*["']External/i.test(element)) remote ||= FETCHED.test(type) && isRemote(target);
    else if (OBJECT.test(type)) objects.add(target.slice(target.lastIndexOf('/') + 1).toLowerCase());
  }
  return remote;
}

function attribute(element: string, name: string): string {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(element);
  return found?.[1] ?? found?.[2] ?? '';
}
