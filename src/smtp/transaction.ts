import { canonicalDomain } from '../message/ascii.js';
import type { Envelope, EnvelopeRecipient } from '../message/envelope.js';
import type { SmtpReply } from '../rules/types.js';
import { parsePath } from './address.js';
import { readMailParameters, readRcptParameters, type MailParameters } from './parameters.js';
import type { RelayPolicy } from './relay.js';
import type { SessionContext } from './session-context.js';

export interface TransactionRules {
  readonly maxMessageSize: number;
  readonly maxRecipients: number;
  readonly authOffered: boolean;
  readonly relay: RelayPolicy;
}

/** A mail transaction between MAIL and the end of data (RFC 5321 3.3). */
export class Transaction {
  readonly sender: string;
  readonly parameters: MailParameters;
  /** Recipients that were refused. */
  refused = 0;
  readonly #rules: TransactionRules;
  readonly #recipients = new Map<string, EnvelopeRecipient>();

  private constructor(sender: string, parameters: MailParameters, rules: TransactionRules) {
    this.sender = sender;
    this.parameters = parameters;
    this.#rules = rules;
  }

  /** Begins a transaction from a MAIL command line. @returns the refusal when it cannot */
  static begin(line: string, rules: TransactionRules): Transaction | SmtpReply {
    const prefix = /^MAIL FROM:[ \t]*/i.exec(line);
    if (prefix === null) return { code: 501, enhanced: '5.5.4', text: 'Syntax: MAIL FROM:<address>' };
    const path = parsePath(line, prefix[0].length);
    if (path === undefined || isBarePostmaster(path.address)) {
      return { code: 501, enhanced: '5.1.7', text: 'Bad sender address syntax' };
    }
    const read = readMailParameters(line.slice(path.end), rules.authOffered);
    if ('refusal' in read) return read.refusal;
    const parameters = read.value;
    if (path.nonAscii && !parameters.smtpUtf8) return needsUtf8();
    if (parameters.size !== undefined && parameters.size > rules.maxMessageSize) {
      return { code: 552, enhanced: '5.3.4', text: `Message larger than ${rules.maxMessageSize} bytes` };
    }
    return new Transaction(path.address, parameters, rules);
  }

  get recipients(): readonly EnvelopeRecipient[] {
    return [...this.#recipients.values()];
  }

  get recipientCount(): number {
    return this.#recipients.size;
  }

  /** Adds the recipient of a RCPT command line. @returns the reply */
  addRecipient(line: string, mayRelay: boolean): SmtpReply {
    const reply = this.#add(line, mayRelay);
    if (reply.code >= 400) this.refused += 1;
    return reply;
  }

  /** The envelope, with what the session knows. */
  envelope(session: Pick<Envelope, 'client' | 'helo' | 'tls' | 'user' | 'trusted'>): Envelope {
    const { eightBit, smtpUtf8, ret, envid } = this.parameters;
    return {
      sender: this.sender,
      recipients: this.recipients,
      ...session,
      smtpUtf8,
      eightBit,
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
    };
  }

  #add(line: string, mayRelay: boolean): SmtpReply {
    const prefix = /^RCPT TO:[ \t]*/i.exec(line);
    if (prefix === null) return { code: 501, enhanced: '5.5.4', text: 'Syntax: RCPT TO:<address>' };
    const path = parsePath(line, prefix[0].length);
    if (path === undefined || path.address === '') {
      return { code: 501, enhanced: '5.1.3', text: 'Bad recipient address syntax' };
    }
    const read = readRcptParameters(line.slice(path.end));
    if ('refusal' in read) return read.refusal;
    if (path.nonAscii && !this.parameters.smtpUtf8) return needsUtf8();
    const address = this.#rules.relay.complete(path.address);
    const refusal = this.#rules.relay.check(address, mayRelay);
    if (refusal !== undefined) return refusal;
    const at = address.lastIndexOf('@');
    const key = `${address.slice(0, at)}@${canonicalDomain(address.slice(at + 1))}`;
    // Given twice it is one recipient; the later parameters hold.
    if (this.#recipients.size >= this.#rules.maxRecipients && !this.#recipients.has(key)) {
      return { code: 452, enhanced: '4.5.3', text: 'Too many recipients' };
    }
    this.#recipients.set(key, { address, ...read.value });
    return { code: 250, enhanced: '2.1.5', text: 'Ok' };
  }
}

/** Begins a transaction where there is room for its mail. @param secure under TLS @returns the refusal when it cannot */
export function openTransaction(
  line: string,
  secure: boolean,
  { config, relay, users, handler }: Pick<SessionContext, 'config' | 'relay' | 'users' | 'handler'>,
): Transaction | SmtpReply {
  const { maxMessageSize, maxRecipients } = config.smtp;
  const authOffered = users !== undefined && secure;
  const begun = Transaction.begin(line, { maxMessageSize, maxRecipients, authOffered, relay });
  if (!(begun instanceof Transaction) || handler.hasRoom()) return begun;
  return { code: 452, enhanced: '4.3.1', text: 'Insufficient system storage, try again later' };
}

/** @returns why a DATA command line is refused; undefined when the data may come */
export function whyNoData(line: string, transaction: Transaction | undefined): SmtpReply | undefined {
  if (!/^DATA[ \t]*$/i.test(line)) return { code: 501, enhanced: '5.5.4', text: 'DATA takes no parameters' };
  if (transaction === undefined) return { code: 503, enhanced: '5.5.1', text: 'MAIL comes first' };
  if (transaction.recipientCount > 0) return undefined;
  return transaction.refused > 0
    ? { code: 554, enhanced: '5.5.1', text: 'No valid recipients' }
    : { code: 503, enhanced: '5.5.1', text: 'RCPT comes first' };
}

function isBarePostmaster(address: string): boolean {
  return address !== '' && !address.includes('@');
}

/** RFC 6531 3.5. */
function needsUtf8(): SmtpReply {
  return { code: 553, enhanced: '5.6.7', text: 'A non-ASCII address needs SMTPUTF8' };
}
