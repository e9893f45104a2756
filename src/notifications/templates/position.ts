/** Something wrong in a template's text. */
export interface TextProblem {
  readonly severity: 'error' | 'warning';
  /** Offset in the text as its author wrote it. */
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** @param line from 1 @param column from 0, as Handlebars counts */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', start);
    if (next < 0) return text.length;
    start = next + 1;
  }
  return Math.min(start + column, text.length);
}
