import type { Message } from '../../message/types.js';

/** Fields that only senders of mass mail write. */
const FIELDS = ['list-unsubscribe', 'list-id', 'list-post', 'feedback-id', 'x-campaign-id', 'x-mailgun-tag'] as const;

/** Names of the fields that mark a message as mass mail (RFC 2369, RFC 2919, RFC 8058); empty when there are none. */
export function bulkMarks(message: Message): readonly string[] {
  const marks: string[] = FIELDS.filter((name) => message.header(name).length > 0);
  if (message.header('precedence').some((value) => /^(bulk|list|junk)\b/i.test(value))) marks.push('precedence');
  return marks;
}
