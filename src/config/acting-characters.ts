/**
 * Characters that act on a terminal instead of being seen: controls other than the end of a line and the tab, and what
 * turns the direction of the text that follows.
 */
const ACTING = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const ALL_ACTING = new RegExp(ACTING.source, 'g');
/** Colours, as we write them ourselves. */
const COLOUR_OR_ACTING = new RegExp(`\\x1b\\[[0-9;]{0,20}m|${ACTING.source}`, 'g');
/** In JSON: those that stand there as they are, and the escapes of those that do not; other escapes as a whole. */
const IN_JSON = new RegExp(`${ACTING.source}|\\\\(?:u00[01][0-9a-f]|.)`, 'gi');

/** Whether any of them is in a text. */
export function hasActing(text: string): boolean {
  return ACTING.test(text);
}

/** A text for a terminal. @param colours whether colours of ours are in it */
export function withoutActing(text: string, colours: boolean): string {
  if (!ACTING.test(text)) return text;
  if (!colours) return text.replace(ALL_ACTING, '');
  return text.replace(COLOUR_OR_ACTING, (found) => (found.length > 1 ? found : ''));
}

/** JSON that says the same with escapes in their place: it can be looked at on a terminal. */
export function escapeActing(json: string): string {
  if (!ACTING.test(json)) return json;
  return json.replace(ALL_ACTING, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON that will be read and shown as text: a dot stands for each of them, also for those that are escaped. */
export function dotActing(json: string): string {
  return json.replace(IN_JSON, (found) => {
    if (!found.startsWith('\\')) return '·';
    return /^\\u/i.test(found) && !/^\\u000[9a]$/i.test(found) ? '·' : /^\\[bfr]$/.test(found) ? '' : found;
  });
}
