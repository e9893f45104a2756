import { ENGLISH_WORDS, type Words } from '../../notifications/templates/words.js';
import type { DsnContext } from '../../notifications/types.js';
import type { DsnTemplate } from '../spool-item.js';
import type { DsnText } from './types.js';

const KINDS = { 'dsn-failure': 'failure', 'dsn-delay': 'delay', 'dsn-success': 'success' } as const;

/** The text of a DSN where no template can be filled in. @param words of its language */
export function plainText(
  template: DsnTemplate,
  { reported, node }: DsnContext,
  words: Words = ENGLISH_WORDS,
): { subject: string; words: Words } & DsnText {
  const kind = KINDS[template];
  const lines = reported.map(
    ({ address, reason, server, reply }) =>
      `${address}: ${words.phrase(reason)} (${server === '' ? reply : `${server}: ${reply}`})`,
  );
  const gateway = words.say('reports', 'gateway', { node: node.name });
  const text = `${words.say('reports', kind)}\n\n${lines.join('\n')}\n\n${gateway}\n`;
  return { subject: words.say('reports', `${kind}Subject`), text, words };
}
