import { domainToUnicode } from 'node:url';
import type { Words } from '../config/network-ranges.js';
import { wordsOf } from '../config/networks.js';
import { domainOf } from '../message/envelope.js';
import type { Finding } from '../detectors/types.js';
import { extensionReadings, nameReadings } from '../message/objects/names.js';
import { leastQuoted } from '../message/local-part.js';
import type { Link, LinkKind, Message, MessageObject } from '../message/types.js';
import { asciiForm, foldAddress } from './addresses.js';
import { fold } from './mask.js';
import type { ScopeIndex } from './scope-index.js';
import type { RuleSubject } from './subject.js';
import type { LocalTime } from './time.js';

/** A value of a text field: folded for masks, and as it stands for regular expressions. */
export interface TextValue {
  readonly folded: string;
  readonly raw: string;
}

/** What conditions read of one message. Values are made when first asked for and kept: rules ask again and again. */
export class SubjectView {
  readonly subject: RuleSubject;
  readonly sender: string;
  readonly local: LocalTime;
  readonly filed = new Map<ScopeIndex, readonly number[]>();
  private readonly kept = new Map<string, readonly TextValue[]>();
  private readonly linksKept = new Map<Link, Map<string, readonly TextValue[]>>();
  private fromKept: readonly string[] | undefined;
  private linkCountKept: number | undefined;
  private attachmentCountKept: number | undefined;
  private clientKept: { readonly words: Words | undefined } | undefined;

  constructor(subject: RuleSubject, local: LocalTime) {
    this.subject = subject;
    this.local = local;
    this.sender = foldAddress(subject.envelope.sender);
  }

  /** Address of the client, as numbers. */
  get clientWords(): Words | undefined {
    this.clientKept ??= { words: wordsOf(this.subject.envelope.client) };
    return this.clientKept.words;
  }

  /** Folded addresses of the From field. */
  get from(): readonly string[] {
    this.fromKept ??= this.subject.message.addresses('from').map(({ address }) => foldAddress(address));
    return this.fromKept;
  }

  /** Number of different addresses that a reader can follow; images and styles do not count. */
  get linkCount(): number {
    this.linkCountKept ??= new Set(
      this.subject.message
        .links()
        .list.filter(({ kind }) => FOLLOWED.has(kind))
        .map(({ url }) => url),
    ).size;
    return this.linkCountKept;
  }

  /** Number of attachments, without what is inside them. What two readings show under one name counts once. */
  get attachmentCount(): number {
    this.attachmentCountKept ??= countAttachments(this.subject.message);
    return this.attachmentCountKept;
  }

  /** Texts of a field of a link: folded once a link, not once a rule. */
  linkTexts(link: Link, field: string): readonly TextValue[] {
    let kept = this.linksKept.get(link);
    if (kept === undefined) this.linksKept.set(link, (kept = new Map<string, readonly TextValue[]>()));
    let values = kept.get(field);
    if (values === undefined) {
      values = linkStrings(link, field).map((raw) => ({ raw, folded: fold(raw) }));
      kept.set(field, values);
    }
    return values;
  }

  /** Values of a text field of the message; those of the recipient and of attachments are read elsewhere. */
  texts(field: string, header?: string): readonly TextValue[] {
    const key = header === undefined ? field : `header.${header}`;
    let values = this.kept.get(key);
    if (values === undefined) {
      values = this.read(field, header).flatMap((raw) => toValues(field, raw));
      this.kept.set(key, values);
    }
    return values;
  }

  private read(field: string, header?: string): readonly string[] {
    const { envelope, message, text } = this.subject;
    switch (field) {
      case 'header':
        return message.header(header ?? '');
      case 'subject':
        return message.header('subject');
      case 'body':
        return text === undefined ? [] : [text.text];
      case 'client.ip':
        return [envelope.client];
      case 'client.helo':
        return envelope.helo === '' ? [] : [envelope.helo];
      case 'sender':
        return [envelope.sender];
      case 'sender.domain':
        return envelope.sender === '' ? [] : [domainOf(envelope.sender)];
      case 'sender.name':
        return this.namesOf(['from', 'sender'], envelope.sender);
      default:
        return this.readHeaderAddresses(field);
    }
  }

  private readHeaderAddresses(field: string): readonly string[] {
    const [header = '', part] = field.split('.');
    const found = this.subject.message.addresses(header);
    const values =
      part === 'name'
        ? found.map(({ name }) => name)
        : found.map(({ address }) => (part === 'domain' ? domainOf(address) : address));
    return values.filter((value) => value !== '');
  }

  /** Display names that the header gives for an address of the envelope. */
  namesOf(fields: readonly string[], address: string): string[] {
    const wanted = foldAddress(address);
    return fields
      .flatMap((field) => this.subject.message.addresses(field))
      .filter((entry) => entry.name !== '' && foldAddress(entry.address) === wanted)
      .map(({ name }) => name);
  }
}

/**
 * The forms in which a value is compared. An address has the least quoting, for regular expressions too. An international
 * domain has two forms, with U-labels and with A-labels (`xn--`): tests may be written in either.
 */
export function toValues(field: string, raw: string): readonly TextValue[] {
  if (!ADDRESS_FIELD.test(field)) return [{ raw, folded: fold(raw) }];
  const value = { raw: leastQuoted(raw), folded: foldAddress(raw) };
  const ascii = asciiForm(value.folded);
  return ascii === undefined ? [value] : [value, { raw: ascii, folded: ascii }];
}

const ADDRESS_FIELD = /^(sender|recipient|from|to|cc|reply-to)(\.domain)?$/;

const FOLLOWED: ReadonlySet<LinkKind> = new Set(['href', 'form', 'refresh', 'text']);

function linkStrings(link: Link, field: string): string[] {
  switch (field) {
    case 'link.url':
      return link.url === link.raw ? [link.url] : [link.url, link.raw];
    case 'link.domain': {
      if (link.domain === '') return [];
      const shown = link.domain.includes('xn--') ? domainToUnicode(link.domain) : '';
      return shown === '' ? [link.domain] : [link.domain, shown];
    }
    case 'link.text':
      return link.text === '' ? [] : [link.text];
    default:
      return [];
  }
}

function countAttachments({ objects, structure: { parts, root } }: Message): number {
  const attachments = objects.filter(({ depth }) => depth === 0);
  // What a second reader alone sees stands in no part of its own.
  const isFurther = ({ part }: MessageObject): boolean =>
    parts[part]?.alternative === true || (part === 0 && root.children.length > 0);
  const further = attachments.filter(isFurther);
  if (further.length === 0) return attachments.length;
  const names = new Set(attachments.filter((one) => !isFurther(one)).map(({ name }) => name));
  const others = new Set(further.map(({ name }) => name).filter((name) => !names.has(name)));
  return attachments.length - further.length + others.size;
}

/** Texts of a field of an attachment or archive entry. */
export function objectTexts(object: MessageObject, field: string): readonly TextValue[] {
  return objectStrings(object, field).map((raw) => ({ raw, folded: fold(raw) }));
}

function objectStrings(object: MessageObject, field: string): string[] {
  switch (field) {
    case 'attachment.name':
      return [...new Set([...namesOf(object).flatMap(nameReadings), object.path])];
    case 'attachment.extension':
      return [...new Set([object.extension, ...namesOf(object).flatMap(extensionReadings)])].filter(isGiven);
    case 'attachment.mime':
      return [object.mime, ...(object.otherMimes ?? [])].filter(isGiven);
    case 'attachment.type':
      return [object.type];
    default:
      return [];
  }
}

function namesOf(object: MessageObject): readonly string[] {
  return object.otherNames === undefined ? [object.name] : [object.name, ...object.otherNames];
}

function isGiven(text: string): boolean {
  return text !== '';
}

/** What a condition is asked about: one message, one recipient, and in content expressions the findings. */
export interface Question {
  readonly view: SubjectView;
  /** Folded. */
  readonly recipient: string;
  /** The same as it stands in the envelope. */
  readonly rawRecipient: string;
  readonly findings: readonly Finding[];
}
