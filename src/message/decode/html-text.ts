import { decodeEntities } from './entities.js';
import { readHtml, type HtmlReading } from './html-read.js';

/**
 * The text that a reader of an HTML body sees, roughly: tags, comments, scripts and styles are dropped, blocks become
 * lines, references become characters. Linear, for any input.
 */
export function htmlToText(html: string): string {
  return renderText(readHtml(html));
}

/** The same of a text that was read already. */
export function renderText({ pieces }: HtmlReading): string {
  return tidy(decodeEntities(pieces.join('')));
}

/** No white space around line ends, no runs of empty lines. */
function tidy(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' || lines.at(-1) !== '') lines.push(trimmed);
  }
  return lines.join('\n').trim();
}
