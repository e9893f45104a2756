/** What stands in the place of a secret. */
export const HIDDEN = '***';

/** Ends of keys of settings, ours and those of other people's modules, whose values nobody else is to see. */
const NAMES = '(?:password|passwd|passphrase|secret|token|credentials?|api[_-]?key)';
const SECRET_KEY = new RegExp(`${NAMES}$`, 'i');
/** User and password of an address: up to its last @, as a stray one may stand in the password. */
const ACCOUNT = /(:\/\/)([^\s"'`<>]*)(?=@)/g;
const PARAMETER = /([?&][^=&\s"']*(?:password|secret|token|key)=)([^&\s"'#]+)/gi;
const KEY_WORDS = String.raw`(${NAMES}["']?\s*:\s*)`;
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[[{][^\]}]*[\]}]?`;
/** A value behind a secret key in YAML: in quotes or brackets, to the end of its entry in a flow map, else to the end of the line. */
const IN_FLOW = new RegExp(String.raw`(?<=\{.*)${KEY_WORDS}(${QUOTED}|[^\s"'{[|>#][^,}\]]*)`, 'gi');
const IN_BLOCK = new RegExp(String.raw`(?<!\{.*)${KEY_WORDS}(${QUOTED}|[^\s"'{[|>#].*?(?=\s+#|\s*$))`, 'gi');
const SUSPICIOUS = new RegExp(`://|${NAMES}`, 'i');
/** Of a longer line only what is around the place is looked at, in UTF-16 units to each side. */
const REACH = 2000;

/** Whether the value of a key is a secret. */
export function isSecretKey(key: string | number | undefined): boolean {
  return typeof key === 'string' && SECRET_KEY.test(key);
}

/** A text without the passwords of the addresses in it. */
export function withoutPasswords(text: string): string {
  return text.replace(ACCOUNT, `$1${HIDDEN}`).replace(PARAMETER, `$1${HIDDEN}`);
}

export interface Masked {
  readonly text: string;
  /** Column of the place that was asked for. */
  readonly column: number;
  /** What was taken out. */
  readonly secrets: readonly string[];
}

/**
 * A line of a settings file without its secrets: passwords in addresses, and values of keys that name secrets.
 * @param column of a place in it, from 1; one within a secret becomes its beginning
 */
export function maskLine(line: string, column: number): Masked {
  let masked: Masked = { text: line, column, secrets: [] };
  if (!SUSPICIOUS.test(line)) return masked;
  if (line.length > 2 * REACH) {
    const from = Math.max(0, column - 1 - REACH);
    masked = { text: line.slice(from, from + 2 * REACH), column: column - from, secrets: [] };
  }
  for (const pattern of [IN_FLOW, IN_BLOCK, ACCOUNT, PARAMETER]) masked = mask(masked, pattern);
  return masked;
}

function mask(before: Masked, pattern: RegExp): Masked {
  let { column } = before;
  const secrets = [...before.secrets];
  let text = '';
  let done = 0;
  for (const match of before.text.matchAll(pattern)) {
    const [, head = '', secret = ''] = match;
    // A reference to the environment says nothing.
    if (secret === '' || secret === HIDDEN || /^["']?\$\{\w+\}["']?\s*$/.test(secret)) continue;
    const start = match.index + head.length;
    text += before.text.slice(done, start) + HIDDEN;
    done = start + secret.length;
    secrets.push(secret.trim(), secret.trim().replace(/^(["'])(.*?)\1?$/s, '$2'));
    // Counted in the line as it was, from its end, which does not move.
    const at = before.column - 1;
    if (at >= done) column += HIDDEN.length - secret.length;
    else if (at > start) column += start - at;
  }
  return { text: text + before.text.slice(done), column, secrets };
}

/** A sentence of ours about a line, without what was taken out of the line. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const found = [...secrets].filter((secret) => secret.length > 2).sort((a, b) => b.length - a.length);
  return found.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
}
