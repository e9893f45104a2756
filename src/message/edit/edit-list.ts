import type { ByteRange, Edit } from '../types.js';

/** Collects edits of one message; what lies inside a range that is replaced as a whole is dropped. */
export class EditList {
  readonly #edits: Edit[] = [];
  readonly #done = new Set<string>();

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  /** @param insert ASCII, or bytes */
  replace(range: ByteRange, insert: string | Uint8Array): void {
    const bytes = typeof insert === 'string' ? Buffer.from(insert, 'latin1') : insert;
    this.#edits.push({ start: range.start, end: range.end, insert: bytes });
  }

  insert(at: number, text: string | Uint8Array): void {
    this.replace({ start: at, end: at }, text);
  }

  /** Inserts what is needed once, whoever needs it first. Insertions at one place stand in the order in which they came. */
  insertOnce(what: string, at: number, text: string): void {
    if (this.#done.has(what)) return;
    this.#done.add(what);
    this.insert(at, text);
  }

  /** Edits in order and without overlaps: of two that overlap, the one that starts first (or is longer) stays. */
  settle(): readonly Edit[] {
    const ordered = this.#edits
      .map((edit, order) => ({ edit, order }))
      .sort((a, b) => a.edit.start - b.edit.start || span(a.edit) - span(b.edit) || a.order - b.order);
    const out: Edit[] = [];
    let position = 0;
    for (const { edit } of ordered) {
      if (edit.start < position) continue;
      out.push(edit);
      position = edit.end;
    }
    return out;
  }
}

/** Insertions come first, then the longest range. */
function span(edit: Edit): number {
  return edit.end === edit.start ? -Infinity : -edit.end;
}
