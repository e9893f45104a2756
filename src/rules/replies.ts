import type { FiredResponse, SmtpReply } from './types.js';

const REJECT: SmtpReply = { code: 550, enhanced: '5.7.1', text: 'Message refused by the policy of this site' };
const DEFER: SmtpReply = {
  code: 451,
  enhanced: '4.7.1',
  text: 'Message cannot be accepted now, please try again later',
};

/** Why a message was refused, in words that anyone may read: no name of a threat, a rule or a module. */
const PUBLIC_WORDS: Readonly<Record<string, string>> = {
  malware: 'it contains malware',
  encrypted: 'it contains an encrypted archive or document, which cannot be checked',
  macro: 'it contains a document with macros',
  phishing: 'it looks like phishing',
  'malicious-link': 'it contains a malicious link',
  spam: 'it looks like spam',
  'probable-spam': 'it looks like spam',
  bulk: 'it is bulk mail',
  anomaly: 'its structure is not valid',
  'scan-error': 'it cannot be checked',
  spf: 'the sender could not be authenticated (SPF)',
  dkim: 'the signature of the sender is not valid (DKIM)',
  dmarc: 'the sender could not be authenticated (DMARC)',
  external: 'an external check refused it',
  content: 'it contains something that is not accepted here',
};

/** Words for the statuses of findings that are addressed in full. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  infected: 'malware',
  error: 'scan-error',
  timeout: 'scan-error',
  limit: 'scan-error',
};

/** The reply of a rule with `process: reject`. */
export function policyReply(given: Partial<SmtpReply> | undefined): SmtpReply {
  return complete(given, REJECT);
}

/** The default reply to a `reject` or `defer`, with a text that says why. */
export function replyTo(key: string, action: 'reject' | 'defer', given?: Partial<SmtpReply>): SmtpReply {
  if (action === 'defer') {
    const text = wordsFor(key) === PUBLIC_WORDS['scan-error'] ? 'Message cannot be checked now, please try again later' : DEFER.text;
    return complete(given, { ...DEFER, text });
  }
  const words = wordsFor(key);
  return complete(given, words === undefined ? REJECT : { ...REJECT, text: `Message refused: ${words}` });
}

/** The first reply of the final action. */
export function finalReply(fired: readonly FiredResponse[], action: 'reject' | 'defer'): SmtpReply {
  return fired.find((response) => response.action === action)?.reply ?? replyTo('', action);
}

function wordsFor(key: string): string | undefined {
  const [first = '', second = ''] = key.split('.');
  return PUBLIC_WORDS[first] ?? PUBLIC_WORDS[STATUS_WORDS[second] ?? second];
}

/** What is not given comes from the default; an enhanced code of the given code's class where only that is given. */
function complete(given: Partial<SmtpReply> | undefined, fallback: SmtpReply): SmtpReply {
  return {
    code: given?.code ?? fallback.code,
    enhanced: given?.enhanced ?? fallback.enhanced,
    text: given?.text ?? fallback.text,
  };
}
