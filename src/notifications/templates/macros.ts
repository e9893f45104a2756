/** What a template is for: says which macros are valid in it. */
export const TEMPLATE_KINDS = ['rule', 'banner', 'dsn', 'notice', 'event', 'summary'] as const;
export type TemplateKind = (typeof TEMPLATE_KINDS)[number];

/** What a macro holds: a text, a yes or no, a list of texts, or a list of items with these fields. */
export type MacroShape = 'text' | 'flag' | 'texts' | readonly string[];

export interface Macro {
  readonly kinds: readonly TemplateKind[];
  readonly shape: MacroShape;
}

const MAIL: readonly TemplateKind[] = ['rule', 'banner', 'dsn', 'notice'];
/** `banner`: a text that is put into the message itself. */
const RULE: readonly TemplateKind[] = ['rule', 'banner'];
const EVENT: readonly TemplateKind[] = ['event'];

function macros(kinds: readonly TemplateKind[], shape: MacroShape, names: readonly string[]): [string, Macro][] {
  return names.map((name) => [name, { kinds, shape }]);
}

/** All macros by name, with their meaning in macro-meanings.ts. */
export const MACROS: ReadonlyMap<string, Macro> = new Map([
  ...macros(TEMPLATE_KINDS, 'text', ['nodeName', 'nodeIp', 'nodePort', 'nodeComment', 'productName', 'date', 'mydomain']),
  ...macros(MAIL, 'text', ['messageId', 'smtpMessageId', 'sender', 'senderIp', 'subject', 'messageSize']),
  ...macros(['rule', 'notice'], 'flag', ['messageIdShown']),
  ...macros(MAIL, 'texts', ['allRecipients', 'affectedRecipients']),
  ...macros(RULE, ['id', 'name'], ['rules']),
  ...macros(RULE, 'text', ['action', 'scanner', 'infectedObject', 'virusName', 'objectName', 'objectSize', 'worstStatus', 'objectsOmitted']),
  ...macros(RULE, 'flag', ['quarantined']),
  ...macros(RULE, ['name', 'size', 'status', 'module', 'threat'], ['objects']),
  ...macros(['dsn', 'notice', 'event'], 'text', ['errorDescription']),
  ...macros(['dsn', 'notice'], ['address', 'reason', 'advice', 'status', 'server', 'reply'], ['reported']),
  ...macros(['dsn'], 'text', ['retryUntil']),
  ...macros(['dsn'], 'flag', ['returnedWhole']),
  ...macros(['notice'], 'texts', ['transcript']),
  ...macros(['notice'], 'text', ['omitted']),
  ...macros(['summary'], 'text', ['total', 'messageCount', 'firstTime', 'lastTime', 'messageIdsOmitted', 'summaryId']),
  ...macros(['summary'], ['name', 'count'], ['ruleCounts', 'templateCounts', 'senderDomains']),
  ...macros(['summary'], 'texts', ['messageIds']),
  ...macros(EVENT, 'text', ['event', 'title', 'severity', 'group']),
  ...macros(
    EVENT,
    ['heading', 'event', 'title', 'group', 'severity', 'node', 'nodeIp', 'nodePort', 'nodeComment', 'subject', 'first', 'last', 'lastSuccess', 'resolvedAt', 'detail'],
    ['conditions', 'raised', 'resolved', 'passed'],
  ),
]);

/** The spellings of older products, in upper case, and what they stand for. */
export const OLDER_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['COMPUTERNAME', 'nodeName'],
  ['NODE_IP', 'nodeIp'],
  ['NODE_PORT', 'nodePort'],
  ['PRODUCT_NAME', 'productName'],
  ['PROGRAMNAME', 'productName'],
  ['MESSAGE_ID', 'messageId'],
  ['SMTP_MESSAGE_ID', 'smtpMessageId'],
  ['DATE', 'date'],
  ['TIMESTAMP', 'date'],
  ['SENDER', 'sender'],
  ['SENDER_IP', 'senderIp'],
  ['ALL_RECIPIENTS', 'allRecipients'],
  ['AFFECTED_RECIPIENTS', 'affectedRecipients'],
  ['SUBJECT', 'subject'],
  ['AFFECTED_RULES', 'rules'],
  ['MESSAGE_ACTION', 'action'],
  ['SCANNER', 'scanner'],
  ['INFECTEDOBJECT', 'infectedObject'],
  ['VIRUSNAME', 'virusName'],
  ['ERRORDESCRIPTION', 'errorDescription'],
  ['MYDOMAIN', 'mydomain'],
]);

/** About one object between `%DATA_BEGIN%` and `%DATA_END%`; about the message as a whole elsewhere. */
export const OBJECT_SPELLINGS: ReadonlyMap<string, { readonly inside: string; readonly outside: string }> = new Map([
  ['OBJECT_NAME', { inside: 'name', outside: 'objectName' }],
  ['OBJECT_SIZE', { inside: 'size', outside: 'objectSize' }],
  ['STATUS', { inside: 'status', outside: 'worstStatus' }],
]);
