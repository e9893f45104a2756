/** What the values of a field are, which decides the tests that it takes. */
export type FieldKind = 'address' | 'domain' | 'text' | 'ip' | 'type' | 'result' | 'number' | 'size' | 'boolean';

export interface Field {
  readonly kind: FieldKind;
  /** `scope`: known before the modules run. `results`: only in content expressions. */
  readonly stage: 'scope' | 'results';
  /** Tests of one map are about the same attachment or link. */
  readonly group?: 'attachment' | 'link';
  readonly help: string;
}

function addresses(name: string, who: string): [string, Field][] {
  return [
    [name, { kind: 'address', stage: 'scope', help: `address of ${who}` }],
    [`${name}.domain`, { kind: 'domain', stage: 'scope', help: `domain of ${who}` }],
    [`${name}.name`, { kind: 'text', stage: 'scope', help: `display name of ${who}` }],
  ];
}

function attachment(key: string, kind: FieldKind, help: string): [string, Field] {
  return [`attachment.${key}`, { kind, stage: 'scope', group: 'attachment', help }];
}

function link(key: string, kind: FieldKind, help: string): [string, Field] {
  return [`link.${key}`, { kind, stage: 'scope', group: 'link', help }];
}

/** All fields that conditions can test, besides `header.NAME`. */
export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ...addresses('sender', 'the envelope sender'),
  ...addresses('recipient', 'the recipient that is being decided for'),
  ...addresses('from', 'the From field'),
  ...addresses('to', 'the To field'),
  ...addresses('cc', 'the Cc field'),
  ...addresses('reply-to', 'the Reply-To field'),
  ['subject', { kind: 'text', stage: 'scope', help: 'decoded subject' }],
  ['body', { kind: 'text', stage: 'scope', help: 'decoded text of the body' }],
  ['size', { kind: 'size', stage: 'scope', help: 'size of the message' }],
  ['recipients.count', { kind: 'number', stage: 'scope', help: 'recipients in the envelope' }],
  ['attachments.count', { kind: 'number', stage: 'scope', help: 'attachments, without archive entries' }],
  ['links.count', { kind: 'number', stage: 'scope', help: 'different addresses that a reader can follow' }],
  attachment('name', 'text', 'file name; for an archive entry its path or its base name'),
  attachment('extension', 'text', 'without the dot'),
  attachment('type', 'type', 'true type, by content'),
  attachment('mime', 'text', 'media type that the message claims'),
  attachment('size', 'size', 'decoded size'),
  attachment('depth', 'number', '0 for an attachment of the message, 1 for an entry of an archive in it'),
  attachment('encrypted', 'boolean', 'cannot be opened without a password'),
  attachment('macro', 'boolean', 'carries a macro'),
  link('url', 'text', 'address of a link, as a browser takes it or as it is written'),
  link('domain', 'domain', 'host of a link'),
  link('text', 'text', 'what a reader sees of a link'),
  ['client.ip', { kind: 'ip', stage: 'scope', help: 'address of the client' }],
  ['client.helo', { kind: 'text', stage: 'scope', help: 'name that the client gave' }],
  ['client.tls', { kind: 'boolean', stage: 'scope', help: 'the session is encrypted' }],
  ['authenticated', { kind: 'boolean', stage: 'scope', help: 'the session logged in' }],
  ['spf', { kind: 'result', stage: 'results', help: 'result of SPF' }],
  ['dkim', { kind: 'result', stage: 'results', help: 'result of DKIM' }],
  ['dmarc', { kind: 'result', stage: 'results', help: 'result of DMARC' }],
  ['spam.score', { kind: 'number', stage: 'results', help: 'score of the antispam module' }],
  ['finding', { kind: 'text', stage: 'results', help: 'module.status, key under `on`, or name of a finding' }],
]);

/** Values of `attachment.type`. */
export const OBJECT_TYPES = [
  'executable',
  'archive',
  'document',
  'spreadsheet',
  'presentation',
  'image',
  'audio',
  'video',
  'script',
  'database',
  'disk-image',
  'encrypted',
  'text',
  'other',
] as const;
