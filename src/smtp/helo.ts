/** RFC 5321 4.5.3.1.2. */
const MAX_LENGTH = 255;

/** The name of a HELO or EHLO command; undefined where there is none, or one that could break out of a line. */
export function heloName(command: string): string | undefined {
  const [, name = '', ...rest] = command.trim().split(/\s+/);
  return rest.length === 0 && isName(name) ? name : undefined;
}

/**
 * The name that the client gave.
 * @param said to us; by a proxy, where there is one
 * @param forwarded HELO of XCLIENT: what the client behind it had said
 */
export function heloOf(said: string | false, forwarded: unknown): string {
  if (typeof forwarded === 'string' && isName(forwarded)) return forwarded;
  return said === false ? '' : said;
}

function isName(name: string): boolean {
  return name !== '' && name.length <= MAX_LENGTH && !/[\x00-\x20\x7f-\x9f]/.test(name);
}
