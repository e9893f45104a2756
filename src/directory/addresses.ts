/**
 * An address that stands for itself alone. `*` and `?` are allowed in addresses (RFC 5322 3.2.3) and mean others in a
 * list: whoever may write a directory entry could name everyone with them, so such an address is none here. The same
 * for quoted local parts, line ends and control characters.
 */
const PLAIN = /^[^\s@<>"(),:;\\[\]*?\x00-\x1f\x7f-\x9f]{1,64}@[^\s@<>"(),:;\\[\]*?\x00-\x1f\x7f-\x9f]{1,255}$/u;

/** Whether a text can be an entry of a group. */
export function isPlainAddress(text: string): boolean {
  return PLAIN.test(text);
}

export interface ReadAddresses {
  readonly addresses: readonly string[];
  /** Number of values that are no address. */
  readonly bad: number;
}

/** Values of an entry that are more than this are not read. */
const MAX_VALUES = 1000;

/**
 * The addresses among values of mail attributes, in lower case. Of values with a type in front (`SMTP:`, `smtp:`, `X400:`,
 * `SIP:`, as in `proxyAddresses`) those of SMTP count; the others are no mistakes.
 */
export function readAddresses(values: readonly string[]): ReadAddresses {
  const addresses: string[] = [];
  let bad = 0;
  for (const value of values.slice(0, MAX_VALUES)) {
    const typed = /^([A-Za-z][A-Za-z0-9-]*):/.exec(value);
    if (typed !== null && typed[1]?.toLowerCase() !== 'smtp') continue;
    const address = value
      .slice(typed?.[0].length ?? 0)
      .trim()
      .toLowerCase();
    if (isPlainAddress(address)) addresses.push(address);
    else if (address !== '') bad++;
  }
  return { addresses, bad };
}
