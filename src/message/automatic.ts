import type { IntakeReport } from './envelope.js';
import type { Message } from './types.js';

/**
 * Why a message was sent by a program rather than by a person, in words, or undefined (RFC 3834 2, 5). Nobody may
 * answer such a message. The null sender is for the caller to check: it stands in the envelope.
 */
export function automaticReason(message: Message, intake: IntakeReport): string | undefined {
  if (intake.ownMark !== undefined) return 'it is a notification of Gatepost';
  const submitted = message.header('auto-submitted').find((value) => keyword(value) !== 'no' && keyword(value) !== '');
  if (submitted !== undefined) return `Auto-Submitted: ${keyword(submitted).slice(0, 40)}`;
  const precedence = message.header('precedence').map(keyword);
  const bulk = precedence.find((value) => value === 'bulk' || value === 'list' || value === 'junk');
  if (bulk !== undefined) return `Precedence: ${bulk}`;
  if (message.header('list-id').length > 0) return 'it comes from a mailing list (List-Id)';
  return undefined;
}

/** The value without comments (RFC 5322 3.2.2, nested ones too), before parameters. */
function keyword(value: string): string {
  let depth = 0;
  let text = '';
  for (let i = 0; i < value.length; i += 1) {
    const char = value.charAt(i);
    if (char === '(') depth += 1;
    else if (char === ')' && depth > 0) depth -= 1;
    else if (depth > 0) {
      if (char === '\\') i += 1;
    } else if (char === ';') break;
    else text += char;
  }
  return text.trim().toLowerCase();
}
