const MAX_LENGTH = 8192;
const MAX_DEPTH = 32;
const ATTRIBUTE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*$/;
/** `attribute:dn:rule`, of which each part may be missing (RFC 4515 3, `extensible`). */
const EXTENSIBLE = /^([A-Za-z0-9.;-]*)(:dn)?(?::([A-Za-z0-9.-]+))?:$/i;

/** A value as it stands in a filter (RFC 4515 3): what has a meaning there is escaped. */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\0()*\\]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Says what is wrong with a search filter (RFC 4515); undefined when nothing is. Outer parentheses must be there. */
export function complainOfFilter(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  if (!text.startsWith('(')) return 'it does not begin with "("';
  try {
    const end = filterAt(text, 0, 0);
    return end === text.length ? undefined : `"${text.slice(end, end + 20)}" is left over behind its end`;
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
}

class FilterError extends Error {}

/** @returns the position behind the filter that begins at `start` */
function filterAt(text: string, start: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new FilterError(`it is nested deeper than ${MAX_DEPTH} levels`);
  if (text[start] !== '(') throw new FilterError(`a "(" is missing at "${text.slice(start, start + 20)}"`);
  const first = text[start + 1];
  let at = start + 1;
  if (first === '&' || first === '|') {
    at++;
    do at = filterAt(text, at, depth + 1);
    while (text[at] === '(');
  } else if (first === '!') at = filterAt(text, at + 1, depth + 1);
  else {
    const end = text.slice(at).search(/[()]/);
    if (end < 0 || text[at + end] === '(')
      throw new FilterError(`a ")" is missing behind "${text.slice(start, start + 30)}"`);
    checkItem(text.slice(at, at + end));
    at += end;
  }
  if (text[at] !== ')') throw new FilterError(`a ")" is missing at "${text.slice(at, at + 20)}"`);
  return at + 1;
}

function checkItem(item: string): void {
  const equals = item.indexOf('=');
  if (equals < 0) throw new FilterError(`"${item}" is no test: write it as attribute=value`);
  const operator = item[equals - 1] ?? '';
  const left = /[~<>]/.test(operator) ? item.slice(0, equals - 1) : item.slice(0, equals);
  if (!(operator === ':' ? isExtensible(left) : ATTRIBUTE.test(left)))
    throw new FilterError(`"${left}" is not an attribute`);
  const value = item.slice(equals + 1);
  if (/\\(?![0-9A-Fa-f]{2})/.test(value))
    throw new FilterError(`a backslash in "${value}" is not followed by two hexadecimal digits`);
  if (/[<>:~]/.test(operator) && value.includes('*')) throw new FilterError(`"*" cannot stand in "${item}"`);
}

function isExtensible(left: string): boolean {
  const match = EXTENSIBLE.exec(left);
  if (match === null) return false;
  const [, attribute = '', , rule] = match;
  return attribute === '' ? rule !== undefined : ATTRIBUTE.test(attribute);
}
