/** Turn the direction of text around, so that `exe.fdp` is shown for `pdf.exe` (Unicode TR 36, 2.10.2). */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/u;

/** Shown as nothing, or as a space that is none. The joiners of Persian and of emoji are told apart by place. */
const INVISIBLE =
  /[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/u;
const JOINERS = /[\u200c-\u200f\u061c]/u;

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/u;

/** Everything of the above at once, to clean a text. */
const ALL =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/** Kinds of characters that make a text look different from what it is. */
export type Trick = 'control-character' | 'bidirectional-control' | 'invisible-character';

/**
 * The kinds of trick characters in a decoded text.
 * @param strict for addresses and names of files, in which not even joiners and marks have a place
 */
export function tricksIn(text: string, strict: boolean): readonly Trick[] {
  const tricks: Trick[] = [];
  if (CONTROL.test(text)) tricks.push('control-character');
  if (isPlain(text)) return tricks;
  if (BIDI.test(text)) tricks.push('bidirectional-control');
  if (INVISIBLE.test(text) || (strict && JOINERS.test(text))) tricks.push('invisible-character');
  return tricks;
}

const UNSEEN =
  /[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\u{e0000}-\u{e007f}]+/gu;

/** The text without what a reader cannot see; line ends and tabs stay. */
export function withoutUnseen(text: string): string {
  return text.replace(UNSEEN, '');
}

/** The text without control, bidirectional and invisible characters. */
export function withoutTricks(text: string): string {
  return text.replace(ALL, '');
}

/** Nothing but printable ASCII. */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}
