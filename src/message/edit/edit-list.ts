import type { ByteRange, Edit } from '../types.js';

/** Collects edits of one message; what lies inside a range that is replaced as a whole is dropped. */
export class EditList {
  readonly #edits: Edit[] = [];

  replace(range: ByteRange, insert: string): void {
    this.#edits.push({ start: range.start, end: range.end, insert: Buffer.from(insert, 'latin1') });
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
