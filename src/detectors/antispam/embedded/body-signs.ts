import type { Message, MessageText } from '../../../message/types.js';
import type { Sign } from './sign.js';

/** Characters of a body that are looked at. */
const MAX_TEXT = 8_000;
const MAX_HTML = 16_000;

/** What structure and body of a message show. */
export function bodySigns(message: Message, { text, html }: MessageText): Sign[] {
  return [...structureSigns(message), ...textSigns(text.slice(0, MAX_TEXT)), ...htmlSigns(html, text)];
}

function structureSigns(message: Message): Sign[] {
  const signs: Sign[] = [];
  const { parts } = message.structure;
  const html = parts.filter((part) => part.type === 'text/html');
  const plain = parts.some((part) => part.type === 'text/plain');
  if (html.length > 0 && !plain) signs.push({ name: 'html-alone', points: 0.5 });
  if (html.some((part) => part.encoding === 'base64' && isLatin(part.params.get('charset'))))
    signs.push({ name: 'html-in-base64', points: 1 });
  return signs;
}

/** Text of these needs no base64. */
function isLatin(charset: string | undefined): boolean {
  return charset === undefined || /^(us-ascii|iso-8859-1|windows-1252)$/i.test(charset);
}

function textSigns(text: string): Sign[] {
  const signs: Sign[] = [];
  const counts = countCharacters(text);
  if (counts.upper + counts.lower > 200 && counts.upper > counts.lower) signs.push({ name: 'shouts', points: 1 });
  if (counts.hidden >= 5) signs.push({ name: 'hidden-characters-in-words', points: 1.5 });
  if (counts.mixed >= 3) signs.push({ name: 'words-of-mixed-scripts', points: 2 });
  return signs;
}

interface Counts {
  readonly upper: number;
  readonly lower: number;
  /** Characters without width between two Latin letters. */
  readonly hidden: number;
  /** Cyrillic or Greek letters beside Latin ones. */
  readonly mixed: number;
}

function countCharacters(text: string): Counts {
  let upper = 0;
  let lower = 0;
  let hidden = 0;
  let mixed = 0;
  let previous = 0;
  let wasHidden = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    let kind = 0;
    if (code >= 0x61 && code <= 0x7a) {
      lower += 1;
      kind = 1;
    } else if (code >= 0x41 && code <= 0x5a) {
      upper += 1;
      kind = 1;
    } else if (code >= 0x391 && code <= 0x4ff) kind = 2;
    else if (code >= 0x200b && code <= 0x200d && previous === 1) {
      wasHidden = true;
      continue;
    }
    if (wasHidden && kind === 1) hidden += 1;
    wasHidden = false;
    if (kind !== 0 && previous !== 0 && kind !== previous) mixed += 1;
    previous = kind;
  }
  return { upper, lower, hidden, mixed };
}

function htmlSigns(html: readonly string[], text: string): Sign[] {
  const signs: Sign[] = [];
  const all = html.length === 1 ? (html[0] ?? '').slice(0, MAX_HTML) : html.join('\n').slice(0, MAX_HTML);
  const links = linkSigns(all === '' ? text.slice(0, MAX_TEXT) : all);
  signs.push(...links);
  if (all === '') return signs;
  if (/<form[\s>]/i.test(all)) signs.push({ name: 'html-form', points: 1 });
  if (/<script[\s>]/i.test(all)) signs.push({ name: 'html-script', points: 0.8 });
  if (/<iframe[\s>]/i.test(all)) signs.push({ name: 'html-frame', points: 1 });
  if (text.length < 200 && /<img[\s>]/i.test(all) && /<a\s/i.test(all))
    signs.push({ name: 'picture-instead-of-text', points: 1 });
  return signs;
}

function linkSigns(text: string): Sign[] {
  const signs: Sign[] = [];
  if (
    /https?:\/\/(?:[^\s/@"'<>]{1,64}@)?(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|0x[0-9a-f]{8}|\d{8,10})[/:"'\s>]/i.test(
      text,
    )
  )
    signs.push({ name: 'link-to-a-bare-address', points: 1.5 });
  if (/https?:\/\/[^\s/@"'<>?#]{1,64}@[a-z0-9]/i.test(text)) signs.push({ name: 'link-with-a-user', points: 1 });
  if (/https?:\/\/[^\s/"'<>]{0,80}%[0-9a-f]{2}/i.test(text)) signs.push({ name: 'link-with-a-coded-host', points: 1 });
  return signs;
}
