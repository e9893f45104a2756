import type { Finding } from '../../src/detectors/types.js';
import type { Envelope } from '../../src/message/envelope.js';
import type { Link, MailAddress, Message, MessageObject, ObjectType } from '../../src/message/types.js';
import type { RuleSubject } from '../../src/rules/subject.js';

export interface SubjectOptions {
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly client?: string;
  readonly helo?: string;
  readonly tls?: boolean;
  readonly user?: string;
  readonly subject?: string;
  /** Decoded values by field name in lower case. */
  readonly header?: Readonly<Record<string, readonly string[]>>;
  readonly addresses?: Readonly<Record<string, readonly MailAddress[]>>;
  readonly objects?: readonly Partial<MessageObject>[];
  readonly body?: string;
  readonly links?: readonly Partial<Link>[];
  readonly size?: number;
  readonly at?: string;
  readonly findings?: readonly Finding[];
}

/** An attachment or archive entry as the message folder gives it out. */
export function object(path: string, given: Partial<MessageObject> = {}): MessageObject {
  const name = given.depth === undefined || given.depth === 0 ? path : path.slice(path.indexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const type: ObjectType = 'other';
  return {
    path,
    name,
    extension: dot < 0 ? '' : name.slice(dot + 1).toLowerCase(),
    mime: 'application/octet-stream',
    type,
    format: '',
    size: 1000,
    depth: 0,
    encrypted: false,
    macro: false,
    part: 1,
    content: () => undefined,
    ...given,
  };
}

function link(given: Partial<Link>): Link {
  return { url: '', raw: given.url ?? '', domain: '', text: '', kind: 'href', part: 0, ...given };
}

/** What rules are matched against, without a parser: the message is what the options say. */
export function subjectOf(options: SubjectOptions = {}): RuleSubject {
  const { subject = 'Hello', header = {}, addresses = {} } = options;
  const part = {
    index: 0,
    children: [],
    depth: 0,
    range: { start: 0, end: 0 },
    header: { start: 0, end: 0 },
    fields: [],
    body: { start: 0, end: 0 },
    type: 'text/plain',
    params: new Map<string, string>(),
    disposition: '',
    encoding: '7bit',
  };
  const text = { text: options.body ?? '', html: [] };
  const fields: Readonly<Record<string, readonly string[]>> = { subject: [subject], ...header };
  const message: Message = {
    bytes: Buffer.alloc(options.size ?? 2000),
    structure: { parts: [part], root: part, anomalies: [] },
    subject,
    messageId: 'id@example.org',
    header: (name) => fields[name.toLowerCase()] ?? [],
    addresses: (name) => addresses[name.toLowerCase()] ?? [],
    objects: (options.objects ?? []).map((given, index) => object(given.path ?? `file${index}`, given)),
    problems: [],
    enclosedBodies: [],
    anomalies: [],
    secondOpinion: () => Promise.resolve(),
    text: () => Promise.resolve(text),
    links: () => ({ list: (options.links ?? []).map(link), complete: true }),
  };
  const envelope: Envelope = {
    sender: options.sender ?? 'a@partner.example',
    recipients: (options.recipients ?? ['b@example.org']).map((address) => ({ address })),
    client: options.client ?? '192.0.2.1',
    helo: options.helo ?? 'mail.partner.example',
    tls: options.tls ?? false,
    ...(options.user === undefined ? {} : { user: options.user }),
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
  };
  return {
    envelope,
    message,
    text,
    intake: { anomalies: [], received: 0 },
    receivedAt: Date.parse(options.at ?? '2026-11-18T12:00:00Z'),
    findings: options.findings ?? [],
  };
}
