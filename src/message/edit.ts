import { type Banners, planBanners } from './edit/banners.js';
import { separate } from './edit/content-fields.js';
import { EditList } from './edit/edit-list.js';
import { headerField } from './edit/encode.js';
import { type Removal, removeParts, replacesRoot } from './edit/removal.js';
import { missingTags, tagFields, taggedSubject } from './edit/subject.js';
import type { Edit, HeaderField, Message } from './types.js';

/** Changes to header fields. Names in any case. */
export interface HeaderEdits {
  /** Replaces all fields of the name. */
  readonly set: Readonly<Record<string, string>>;
  /** Adds fields on top, in the order in which they are named. */
  readonly add: Readonly<Record<string, string | readonly string[]>>;
  readonly remove: readonly string[];
}

/** What is to be done to one copy of a message. */
export interface Changes {
  readonly removals: readonly Removal[];
  /** Put before the subject, from left to right. */
  readonly tags: readonly string[];
  readonly headers: HeaderEdits;
  /** Put before and behind the text; absent for none. */
  readonly banners?: Banners;
}

export interface EditPlan {
  /** In order, not overlapping. */
  readonly edits: readonly Edit[];
  /** What was changed, or why something could not be, for people. */
  readonly notes: readonly string[];
  /** Banners were left out, as the body is signed or encrypted. */
  readonly bannersLeftOut?: true;
}

const NO_BANNERS: Banners = { warn: [], disclaimer: [] };

/** Plans changes as replaced byte ranges: every byte that no edit names stays as it is. */
export function planEdits(message: Message, changes: Changes): EditPlan {
  const edits = new EditList();
  const notes: string[] = [];
  planHeader(message, changes, edits, notes);
  const banners = planBanners(message, changes.banners ?? NO_BANNERS, changes.removals, edits);
  notes.push(...removeParts(message, changes.removals, edits, banners.around), ...banners.notes);
  // Below all that has come before the body of a message without any field.
  if (message.structure.root.fields.length === 0 && !edits.isEmpty) separate(message.structure.root, edits);
  return { edits: edits.settle(), notes, ...(banners.leftOut ? { bannersLeftOut: true } : {}) };
}

/** The message with edits applied. */
export function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const edit of edits) {
    pieces.push(bytes.subarray(position, edit.start), edit.insert);
    position = edit.end;
  }
  pieces.push(bytes.subarray(position));
  return Buffer.concat(pieces);
}

function planHeader(message: Message, changes: Changes, edits: EditList, notes: string[]): void {
  const fields = message.structure.root.fields;
  const rootReplaced = replacesRoot(message, changes.removals);
  const top: string[] = [];
  const gone = new Set<HeaderField>();
  const removed = new Set(
    changes.headers.remove.filter((name) => isUsable(name, notes)).map((name) => name.toLowerCase()),
  );
  const set = new Map<string, string>();
  for (const [name, value] of Object.entries(changes.headers.set)) {
    const key = name.toLowerCase();
    if (!isUsable(name, notes)) continue;
    if (rootReplaced && key.startsWith('content-')) {
      notes.push(`${name} was not set: the body it describes was removed`);
      continue;
    }
    const put = key === 'subject' ? missingTags(value, changes.tags) : [];
    set.set(key, key === 'subject' ? taggedSubject(value, changes.tags) : headerField(name, value));
    notes.push(`set ${name}`, ...(put.length > 0 ? [`tagged the subject ${put.join(' ')}`] : []));
  }
  const written = new Set<string>();
  for (const field of fields) {
    const text = set.get(field.key);
    if (text === undefined && !removed.has(field.key)) continue;
    if (text === undefined) notes.push(`removed ${field.name}`);
    gone.add(field);
    edits.replace(field.range, text === undefined || written.has(field.key) ? '' : text);
    if (text !== undefined) written.add(field.key);
  }
  for (const [name, values] of Object.entries(changes.headers.add)) {
    if (!isUsable(name, notes)) continue;
    for (const value of typeof values === 'string' ? [values] : values) top.push(headerField(name, value));
    notes.push(`added ${name}`);
  }
  for (const [key, text] of set) if (!written.has(key)) top.push(text);
  if (!set.has('subject')) planTags(message, changes.tags, gone, top, edits, notes);
  const start = fields[0]?.range.start ?? message.structure.root.header.start;
  if (top.length > 0) edits.insert(start, top.join(''));
}

function planTags(
  message: Message,
  tags: readonly string[],
  gone: ReadonlySet<HeaderField>,
  top: string[],
  edits: EditList,
  notes: string[],
): void {
  if (tags.length === 0) return;
  const subjects = message.structure.root.fields.filter((field) => field.key === 'subject' && !gone.has(field));
  if (subjects.length > 0) {
    const put = tagFields(message, subjects, tags, edits);
    if (put.length > 0) notes.push(`tagged the subject ${put.join(' ')}`);
  } else {
    const put = missingTags('', tags);
    if (put.length === 0) return;
    top.push(taggedSubject('', tags));
    notes.push(`made a subject ${put.join(' ')}`);
  }
}

/** A field name of RFC 5322 3.6.8; anything else could break the header and is left out. */
function isUsable(name: string, notes: string[]): boolean {
  if (/^[\x21-\x39\x3b-\x7e]{1,200}$/.test(name)) return true;
  notes.push('a header field was left out: its name is not valid');
  return false;
}
