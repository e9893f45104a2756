import type { EnvelopeRecipient } from '../../message/envelope.js';
import type { Content } from '../../message/source.js';
import { addressOf } from '../mailbox.js';
import type { RenderedMail } from '../templates/render.js';
import type { NotificationMail } from '../types.js';
import { base64Content } from './base64-content.js';
import { mailCharset, type MailCharset } from './charset.js';
import { addressField, dateField, headerAddress, mailboxField, plainField, textField } from './fields.js';
import { fileNameParameter } from './file-name.js';
import { encodedPart, textPart, type Form, type Part } from './part.js';
import { survey, type Survey } from './survey.js';

/** What of `notifications` every mail is written by. */
export interface WritingSettings {
  readonly from: string;
  /** Preferred MIME name. */
  readonly charset: string;
  readonly quotedPrintable: boolean;
}

/** What comes along: bytes of a known type, or a whole message. */
export type MailAttachment =
  | { readonly name: string; readonly type: string; readonly bytes: Buffer }
  | { readonly name: string; readonly message: Content };

/** One mail of any kind before it is written. */
export interface MailDraft {
  /** Letters and digits; the boundaries are made of it, so that a retry is the same mail. */
  readonly id: string;
  /** Without angle brackets. */
  readonly messageId: string;
  /** Addresses of the To field. */
  readonly to: readonly string[];
  /** Those of them who get it now; default: all. */
  readonly recipients?: readonly EnvelopeRecipient[];
  readonly rendered: RenderedMail;
  /** Fields of our own beside those of every mail: name and ASCII value. */
  readonly marks: Readonly<Record<string, string>>;
  readonly attachment?: MailAttachment;
  /** What comes along behind it, in this order. */
  readonly attachments?: readonly MailAttachment[];
}

/**
 * The mail as it goes out: RFC 5322, marked as automatic (RFC 3834 5), in the charset of the settings. Where it has bytes
 * over 127 its form for a server without 8BITMIME comes along. A message that is attached is not read into memory.
 * @param now ms since the epoch
 */
export async function composeMail(draft: MailDraft, settings: WritingSettings, now: number): Promise<NotificationMail> {
  const { id, to } = draft;
  const attached = await Promise.all(
    [...(draft.attachment === undefined ? [] : [draft.attachment]), ...(draft.attachments ?? [])].map(
      async (attachment): Promise<Attached> =>
        'message' in attachment ? { attachment, surveyed: await survey(attachment.message) } : { attachment },
    ),
  );
  const from = headerAddress(addressOf(settings.from));
  // What stands in the header, and in the envelope for a server that knows no other: a domain has a form in ASCII.
  const smtpUtf8 = [from, ...to.map(headerAddress)].some((address) => /[^\p{ASCII}]/u.test(address));
  const written = new Draft(draft, settings, now, attached);
  const first = written.as(settings.quotedPrintable ? 'quoted-printable' : '8bit', true);
  const eightBit = first.eightBit || smtpUtf8;
  return {
    id,
    sender: '',
    recipients: draft.recipients ?? to.map((address) => ({ address })),
    content: first.content,
    smtpUtf8,
    eightBit,
    ...(first.eightBit
      ? { sevenBit: () => written.as(settings.quotedPrintable ? 'quoted-printable' : 'base64', false).content }
      : {}),
  };
}

/** With what is known of its bytes. */
interface Attached {
  readonly attachment: MailAttachment;
  readonly surveyed?: Survey;
}

/** A piece of a mail: bytes, or a content that is read when it is sent. */
type Piece = Buffer | Content;

interface Written {
  readonly pieces: readonly Piece[];
  readonly eightBit: boolean;
}

class Draft {
  readonly #draft: MailDraft;
  readonly #settings: WritingSettings;
  readonly #charset: MailCharset;
  readonly #now: number;
  readonly #attached: readonly Attached[];

  constructor(draft: MailDraft, settings: WritingSettings, now: number, attached: readonly Attached[]) {
    this.#draft = draft;
    this.#settings = settings;
    this.#charset = mailCharset(settings.charset);
    this.#now = now;
    this.#attached = attached;
  }

  /** @param server8bit the server takes bytes over 127 */
  as(form: Form, server8bit: boolean): { readonly content: Content; readonly eightBit: boolean } {
    const body = this.#body(form);
    const { pieces, eightBit } =
      this.#attached.length === 0
        ? body
        : multipart('mixed', this.#boundary(1), [
            body,
            ...this.#attached.map((each) => this.#attachment(each, form, server8bit)),
          ]);
    const last = pieces.at(-1);
    const ended = Buffer.isBuffer(last) && last.subarray(-2).toString('latin1') === '\r\n';
    return {
      content: joined([Buffer.from(this.#top()), ...pieces, ...(ended ? [] : [Buffer.from('\r\n')])]),
      eightBit,
    };
  }

  #top(): string {
    const { to, rendered, messageId, marks } = this.#draft;
    const charset = this.#charset;
    return [
      mailboxField('From', this.#settings.from, charset),
      addressField('To', to),
      textField('Subject', rendered.subject, charset),
      dateField(this.#now),
      plainField('Message-ID', `<${messageId}>`),
      'Auto-Submitted: auto-generated\r\n',
      'X-Auto-Response-Suppress: All\r\n',
      ...Object.entries(marks).map(([name, value]) => plainField(name, value)),
      'MIME-Version: 1.0\r\n',
    ].join('');
  }

  #body(form: Form): Written {
    return bodyOf(this.#draft.rendered, this.#charset, form, this.#boundary(2));
  }

  /** Such as no quoted-printable text can have (RFC 2045 6.7), and nobody can know before. */
  #boundary(number: number): string {
    return `=_${this.#draft.id.replace(/[^0-9A-Za-z]/g, '').slice(0, 50)}_${number.toString()}`;
  }

  #attachment({ attachment, surveyed }: Attached, form: Form, server8bit: boolean): Written {
    const named = (type: string): string =>
      `Content-Type: ${type}\r\nContent-Disposition: attachment${fileNameParameter('filename', attachment.name, this.#charset)}\r\n`;
    if ('bytes' in attachment) return single({ fields: named(attachment.type), bytes: attachment.bytes }, form);
    const { eightBit = false, global = false, binary = false } = surveyed ?? {};
    if (binary || (eightBit && !server8bit)) {
      const head = `${named('application/octet-stream')}Content-Transfer-Encoding: base64\r\n\r\n`;
      return { pieces: [Buffer.from(head), base64Content(attachment.message)], eightBit: false };
    }
    // RFC 2046 5.2.1 allows no other encoding of an enclosed message.
    const encoding = `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}\r\n\r\n`;
    const type = global ? 'message/global' : 'message/rfc822';
    return { pieces: [Buffer.from(named(type) + encoding), attachment.message], eightBit };
  }
}

/** Text, HTML, or both as alternatives. */
export function bodyOf(
  { text, html }: Omit<RenderedMail, 'subject'>,
  charset: MailCharset,
  form: Form,
  boundary: string,
): Written {
  const parts: Part[] = [
    ...(text === undefined && html !== undefined ? [] : [textPart('text/plain', text ?? '', charset)]),
    ...(html === undefined ? [] : [textPart('text/html', html, charset)]),
  ];
  const [first, second] = parts.map((part) => single(part, form));
  if (first === undefined) return { pieces: [], eightBit: false };
  return second === undefined ? first : multipart('alternative', boundary, [first, second]);
}

function single(part: Part, form: Form): Written {
  const { bytes, eightBit } = encodedPart(part, form);
  return { pieces: [bytes], eightBit };
}

function multipart(subtype: string, boundary: string, parts: readonly Written[]): Written {
  const eightBit = parts.some((part) => part.eightBit);
  // RFC 2045 6.4: what contains 8-bit parts says so.
  const encoding = eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '';
  const head = `Content-Type: multipart/${subtype};\r\n\tboundary="${boundary}"\r\n${encoding}\r\n`;
  const pieces = parts.flatMap(({ pieces: inner }, index) => [
    Buffer.from(`${index === 0 ? head : '\r\n'}--${boundary}\r\n`),
    ...inner,
  ]);
  return { pieces: [...pieces, Buffer.from(`\r\n--${boundary}--`)], eightBit };
}

function joined(pieces: readonly Piece[]): Content {
  if (pieces.every((piece) => Buffer.isBuffer(piece))) {
    const bytes = Buffer.concat(pieces);
    return { size: bytes.length, read: () => [bytes] };
  }
  return {
    size: pieces.reduce((sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.size), 0),
    async *read(): AsyncGenerator<Buffer> {
      for (const piece of pieces) {
        if (Buffer.isBuffer(piece)) yield piece;
        else yield* piece.read();
      }
    },
  };
}
