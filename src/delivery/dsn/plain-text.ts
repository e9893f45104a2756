import type { DsnContext } from '../../notifications/types.js';
import type { DsnTemplate } from '../spool-item.js';
import type { DsnText } from './types.js';

const WORDS: Readonly<Record<DsnTemplate, { readonly subject: string; readonly lead: string }>> = {
  'dsn-failure': { subject: 'Not delivered', lead: 'Your message could not be delivered to:' },
  'dsn-delay': { subject: 'Delayed', lead: 'Your message still waits, and is tried again, for:' },
  'dsn-success': { subject: 'Delivered', lead: 'Your message has been handed over for:' },
};

/** The text of a DSN where no template can be filled in. */
export function plainText(template: DsnTemplate, { reported, node }: DsnContext): { subject: string } & DsnText {
  const { subject, lead } = WORDS[template];
  const lines = reported.map(
    ({ address, reason, server, reply }) => `${address}: ${reason} (${server === '' ? reply : `${server}: ${reply}`})`,
  );
  return { subject, text: `${lead}\n\n${lines.join('\n')}\n\nThis is the mail gateway ${node.name}.\n` };
}
