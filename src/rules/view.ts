import { domainOf } from '../message/envelope.js';
import type { Finding } from '../detectors/types.js';
import type { MessageObject } from '../message/types.js';
import { foldAddress } from './addresses.js';
import { fold } from './mask.js';
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
  private readonly kept = new Map<string, readonly TextValue[]>();
  private fromKept: readonly string[] | undefined;

  constructor(subject: RuleSubject, local: LocalTime) {
    this.subject = subject;
    this.local = local;
    this.sender = foldAddress(subject.envelope.sender);
  }

  /** Folded addresses of the From field. */
  get from(): readonly string[] {
    this.fromKept ??= this.subject.message.addresses('from').map(({ address }) => foldAddress(address));
    return this.fromKept;
  }

  /** Values of a text field of the message; those of the recipient and of attachments are read elsewhere. */
  texts(field: string, header?: string): readonly TextValue[] {
    const key = header === undefined ? field : `header.${header}`;
    let values = this.kept.get(key);
    if (values === undefined) {
      values = this.read(field, header).map(toValue(field));
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
        return message.header('subject').length > 0 ? [message.subject] : [];
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

/** How values of a field are folded. */
export function toValue(field: string): (raw: string) => TextValue {
  const isAddress = /^(sender|recipient|from|to|cc|reply-to)(\.domain)?$/.test(field);
  return (raw) => ({ raw, folded: isAddress ? foldAddress(raw) : fold(raw) });
}

/** Texts of a field of an attachment or archive entry. */
export function objectTexts(object: MessageObject, field: string): readonly TextValue[] {
  return objectStrings(object, field).map((raw) => ({ raw, folded: fold(raw) }));
}

function objectStrings(object: MessageObject, field: string): string[] {
  switch (field) {
    case 'attachment.name': {
      const base = object.name.slice(Math.max(object.name.lastIndexOf('/'), object.name.lastIndexOf('\\')) + 1);
      return [...new Set([object.name, base, object.path])];
    }
    case 'attachment.extension':
      return object.extension === '' ? [] : [object.extension];
    case 'attachment.mime':
      return object.mime === '' ? [] : [object.mime];
    case 'attachment.type':
      return [object.type];
    default:
      return [];
  }
}

/** What a condition is asked about: one message, one recipient, and in content expressions the findings. */
export interface Question {
  readonly view: SubjectView;
  /** Folded. */
  readonly recipient: string;
  readonly findings: readonly Finding[];
}
