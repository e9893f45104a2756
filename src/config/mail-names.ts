import { z } from 'zod';

/** What neither a local part nor a domain holds unquoted. */
const PLAIN = String.raw`[^\s@<>"(),:;\\[\]\x00-\x1f\x7f]`;
const ADDRESS = new RegExp(`^${PLAIN}{1,64}@${PLAIN}{1,255}$`);
const DOMAIN = new RegExp(`^(?!\\.)(?!.*\\.\\.)(?:(?![*?/])${PLAIN}){1,253}(?<!\\.)$`);
const LITERAL = /^\[[0-9A-Za-z:.]{2,60}\]$/;

/** A domain of mail addresses, or an address literal. */
export const domainName = z.string().superRefine((text, context) => {
  if (DOMAIN.test(text) || LITERAL.test(text)) return;
  const hint = domainMeant(text);
  context.addIssue({ code: 'custom', message: `"${text.slice(0, 80)}" is not a domain`, params: { hint } });
});

/** Whether mail can be sent to it, as far as its form goes. */
export function isMailAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** How to write what is not an address. */
export function addressMeant(text: string): string {
  const inner = /<([^<>\s@]+@[^<>\s@]+)>/.exec(text)?.[1];
  return (
    listMeant(text) ?? (inner === undefined ? 'write it as name@example.org' : `write the address alone: ${inner}`)
  );
}

/** An address that mail can be sent to. */
export const mailAddress = z.string().superRefine((text, context) => {
  if (isMailAddress(text)) return;
  const params = { hint: addressMeant(text) };
  context.addIssue({ code: 'custom', message: `"${text.slice(0, 80)}" is not an address`, params });
});

/** An address, also with a name before it: `Mail gateway <gatepost@example.org>`. */
export const namedAddress = z
  .string()
  .refine((text) => isMailAddress((/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).trim()), {
    message: 'not an address',
    params: { hint: 'write it as name@example.org or "Mail gateway <name@example.org>"' },
  });

function domainMeant(text: string): string {
  if (text.includes('*')) return 'subdomains have to be named one by one';
  const list = listMeant(text);
  if (list !== undefined) return list;
  const domain = text.slice(text.lastIndexOf('@') + 1).replace(/^\.+|\.+$/g, '');
  return domain !== text && DOMAIN.test(domain) ? `did you mean ${domain}?` : 'write it as example.org';
}

/** Several in one text. */
function listMeant(text: string): string | undefined {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  if (parts.length < 2 || parts.includes('') || text.includes('<')) return undefined;
  return `write several as a list: [${parts.map((part) => JSON.stringify(part)).join(', ')}]`;
}
