import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { SMTPServer } from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import type { SmtpReply } from '../rules/types.js';
import { ClientLookup } from './client-lookup.js';
import { Conduct } from './conduct.js';
import { Connection } from './connection.js';
import { DataParser } from './data-parser.js';
import { ehloLines } from './ehlo.js';
import { heloName, heloOf } from './helo.js';
import { hasGoodInitialResponse, isResponse } from './login-syntax.js';
import { Reception } from './reception.js';
import { replyLines, replyText } from './reply.js';
import type { SessionContext } from './session-context.js';
import { SessionWatch } from './session-watch.js';
import { openTransaction, Transaction, whyNoData } from './transaction.js';

const GREETING_DELAY = 100;
/** Marks a reply that carries its own enhanced status code. */
const COMPLETE = 'COMPLETE';

/**
 * One SMTP session. smtp-server's connection does the sockets, TLS, AUTH and XCLIENT; the mail transaction and every
 * limit are ours.
 */
export class Session extends Connection {
  readonly #context: SessionContext;
  #transaction: Transaction | undefined;
  #reception: Reception | undefined;
  #extended = false;
  readonly #conduct: Conduct;
  /** Runs out when no whole command comes. A byte now and then does not set it back, as it does the socket's timer. */
  #deadline: NodeJS.Timeout | undefined;
  /** Looks on for the admins, where they want it. */
  readonly #watch: SessionWatch | undefined;
  /** Replies that are not written yet. */
  #output = '';
  #waited = false;
  readonly #lookup: ClientLookup;
  /** The client that was counted in; undefined before and after. */
  #counted: string | undefined;

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: SMTPConnectionOptions | null | undefined,
    context: SessionContext,
  ) {
    super(server, socket, options);
    this.#context = context;
    this.#lookup = new ClientLookup(context.relay);
    this.#watch = SessionWatch.over(context.notices, context.log);
    this.#conduct = new Conduct(context.config.smtp.maxErrors);
  }

  /** The client's address in canonical form; after XCLIENT that of the client behind it. */
  get client(): string {
    return this.#lookup.at(this.remoteAddress).address;
  }

  get #user(): string | undefined {
    const user: unknown = this.session.user;
    return typeof user === 'string' ? user : undefined;
  }

  /** Named under `trusted`; asked for each command. A proxy that does not know the client's address lends not its own. */
  get #trusted(): boolean {
    return this._xClient.get('ADDR') !== false && this.#lookup.at(this.remoteAddress).trusted;
  }

  /** Lets the client in or not; the library's delay before the greeting is only for clients that we do not know. */
  override init(): void {
    this._setListeners(() => {
      const { gate, counters } = this.#context;
      const { client } = this;
      const refusal = gate.enter(client);
      if (refusal !== undefined) {
        this.#refuseSession(refusal);
        return;
      }
      counters.sessions += 1;
      this.#counted = client;
      this.#deadline = setTimeout(() => this.#late(), this.#context.config.smtp.timeouts.command).unref();
      const { connections } = this.#context.rates;
      if (connections === undefined || this.#trusted) this.#welcome();
      else
        void connections.take(client).then((within) => {
          if (within) this.#welcome();
          else this.#refuseSession({ code: 421, enhanced: '4.7.0', text: 'You connect too often, try again later' });
        });
    });
  }

  #welcome(): void {
    if (this.#trusted || this.#context.gate.isPatient(this.client)) {
      this.connectionReady();
      return;
    }
    this.#waited = true;
    setTimeout(() => this.connectionReady(), GREETING_DELAY).unref();
  }

  #refuseSession(reply: SmtpReply): void {
    this.#context.counters.refusedSessions += 1;
    this.#context.strangers.info({ client: this.client, reply: reply.text }, 'session refused');
    this.#reply(reply);
  }

  /** Begins to end the session: at once when no message is coming in or being handled, else after its reply. */
  shutDown(): void {
    if (this.#reception === undefined) this.#reply({ code: 421, enhanced: '4.3.2', text: 'Service is shutting down' });
  }

  override close(): void {
    this.#flush();
    super.close();
    this.#over();
  }

  /** The socket, or that of TLS above it, is closed. Emits `close`. */
  override _onClose(): void {
    super._onClose();
    this.#over();
    this.emit('close');
  }

  override _onTimeout(): void {
    // While we are busy the client rightly waits.
    if (this._closing || this._handlerPending) super._onTimeout();
    else if (this.#reception?.handling === true) this._armTimeout();
    else this.#reply({ code: 421, enhanced: '4.4.2', text: 'Timeout' });
  }

  /** No command for too long. In the data, and while we are busy, other limits hold. */
  #late(): void {
    if (this._handlerPending || this.#reception !== undefined) this.#deadline?.refresh();
    else this.#reply({ code: 421, enhanced: '4.4.2', text: 'Timeout' });
  }

  override _createParser(): SMTPStream {
    const parser = new DataParser({ maxCommandLength: this._server.options.maxCommandLength });
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on('error', () => this.#reply({ code: 421, enhanced: '4.7.0', text: 'Command line too long' }));
    parser.once('finish', () => this.close());
    return parser;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.#watch?.heard(command, this._nextHandler !== false);
    if (!this._upgrading && !this._ready) {
      this.#context.gate.markImpatient(this.client);
      this.#context.strangers.info({ client: this.client }, 'client talks before the greeting');
      this.#reply({ code: 421, enhanced: '4.7.0', text: 'You talk too soon' });
      return;
    }
    this.#deadline?.refresh();
    // The library ends a session after ten unknown commands; ours counts all errors.
    this._unrecognizedCommands = 0;
    if (!/^(?:mail|rcpt|data)\b/i.test(command.toString('latin1', 0, 5)) && this.#conduct.idle()) this.#countError();
    if (this._nextHandler !== false && !isResponse(command)) this._nextHandler = this.#unreadable;
    if (!this._closing) super._onCommand(command, callback);
  }

  /** The reply to a command. Errors are counted. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    this.#put(code, data ?? '', context);
    if (code === 535) this.#countFailedLogin();
    if (code >= 500) this.#countError();
  }

  #countError(): void {
    if (this._closing || this.#trusted || !this.#conduct.error()) return;
    this.#reply({ code: 421, enhanced: '4.7.0', text: 'Too many errors' });
  }

  #countFailedLogin(): void {
    if (!this.#conduct.failedLogin()) return;
    this.#reply({ code: 421, enhanced: '4.7.0', text: 'Too many failed logins' });
  }

  /** Every reply passes here. Those to pipelined commands leave in one write, which saves system calls. */
  #put(code: number, data: string | readonly string[], context?: string | false): void {
    // While a handshake runs, whatever is written would end up in the middle of it.
    if (!this._upgrading) {
      if (this.#output === '') process.nextTick(() => this.#flush());
      const enhanced = this._getEnhancedStatusCode(code, context);
      this.#watch?.answered(code, enhanced, data);
      this.#output += replyText(code, enhanced, data);
      const { replies } = this.#context.counters;
      replies.set(code, (replies.get(code) ?? 0) + 1);
    }
    // What precedes a TLS handshake must be out before the handshake begins.
    if (code === 220) this.#flush();
    if (code === 421) this.close();
  }

  #flush(): void {
    const text = this.#output;
    this.#output = '';
    const socket = this._socket;
    if (text !== '' && socket.writable && ['open', 'writeOnly'].includes(socket.readyState)) socket.write(text);
  }

  /** RFC 2034: all replies but the greeting, those to HELO and EHLO, and 3xx; refusals always. */
  override _getEnhancedStatusCode(code: number, context?: string | false): string {
    if (context === COMPLETE) return '';
    if (code === 421) return '4.7.0';
    if (code < 400) return super._getEnhancedStatusCode(code, context);
    const named = context === false || context === 'HELO' || context === 'EHLO' ? undefined : context;
    return super._getEnhancedStatusCode(code, named);
  }

  override _resetSession(): void {
    super._resetSession();
    this.#transaction = undefined;
  }

  override _proxyCommandAllowed(command: string): boolean {
    return (
      command === 'XCLIENT' && !this._xClient.has('ADDR') && this.#context.xclient.has(this._originalRemoteAddress)
    );
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    if (this.#greet(command, true)) {
      const { secure, name } = this;
      const state = { name, secure, loggedIn: this.#user !== undefined, proxy: this._proxyCommandAllowed('XCLIENT') };
      this.send(250, ehloLines(this.#context, state), false);
    }
    callback();
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    if (this.#greet(command, false)) this.send(250, this.name, false);
    callback();
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    if (!this.secure) {
      this.#reply({ code: 538, enhanced: '5.7.11', text: 'Encryption is required: use STARTTLS first' });
      callback();
    } else if (this.#transaction !== undefined) {
      this.#reply({ code: 503, enhanced: '5.5.1', text: 'Not during a mail transaction' });
      callback();
    } else if (hasGoodInitialResponse(command)) super.handler_AUTH(command, callback);
    else this.#unreadable(command, callback);
  }

  /** RFC 4954 4. */
  readonly #unreadable = (_command: Buffer, callback: () => void): void => {
    this.#reply({ code: 501, enhanced: '5.5.2', text: 'That is no base64' });
    callback();
  };

  override handler_VRFY(_command: Buffer, callback: () => void): void {
    this.#reply({ code: 252, enhanced: '2.5.0', text: 'Addresses are not verified; send the message' });
    callback();
  }

  handler_EXPN(_command: Buffer, callback: () => void): void {
    this.#reply({ code: 502, enhanced: '5.5.1', text: 'Lists are not expanded' });
    callback();
  }

  override handler_HELP(_command: Buffer, callback: () => void): void {
    this.#reply({ code: 214, enhanced: '2.0.0', text: 'See RFC 5321' });
    callback();
  }

  /** Not from an address that is named for it: the session ends, or the next commands would count as the proxy's own. */
  handler_PROXY(): void {
    const text = 'The PROXY protocol is not expected from your address (see `smtp.proxyProtocol` in gatepost.yaml)';
    this.#reply({ code: 421, enhanced: '4.7.1', text });
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    const { messages } = this.#context.rates;
    if (messages === undefined || this.#trusted) {
      this.#answerMail(this.#mail(command.toString()));
      callback();
      return;
    }
    void messages.take(this.client).then((within) => {
      const tooMany = { code: 450, enhanced: '4.7.1', text: 'Too many messages from you, try again later' };
      this.#answerMail(within ? this.#mail(command.toString()) : tooMany);
      callback();
    });
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    this.#rcpt(command.toString());
    callback();
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    const parser = this._parser;
    const transaction = this.#transaction;
    const refusal = whyNoData(command.toString(), transaction);
    if (refusal !== undefined || transaction === undefined || !(parser instanceof DataParser)) {
      if (refusal !== undefined) this.#reply(refusal);
      callback();
      return;
    }
    const user = this.#user;
    const envelope = transaction.envelope({
      client: this.client,
      helo: heloOf(this.hostNameAppearsAs, this._xClient.get('HELO')),
      tls: this.secure,
      ...(user === undefined ? {} : { user }),
      trusted: user !== undefined || this.#trusted,
    });
    const { key } = this.#lookup.at(this.remoteAddress);
    const client = { extended: this.#extended, key, trusted: this.#trusted };
    const reception = new Reception(envelope, client, this.#context, {
      reply: (reply) => this.#finish(reception, reply),
      timeout: (text) => this.#reply({ code: 421, enhanced: '4.4.2', text }),
    });
    this.#reception = reception;
    parser.receive(reception);
    this.send(354, 'End data with <CR><LF>.<CR><LF>');
    callback();
  }

  #greet(command: Buffer, extended: boolean): boolean {
    const name = heloName(command.toString());
    if (name === undefined) {
      this.#reply({ code: 501, enhanced: '5.5.4', text: `Syntax: ${extended ? 'EHLO' : 'HELO'} hostname` });
      return false;
    }
    this.#extended = extended;
    this.hostNameAppearsAs = name;
    this._resetSession();
    return true;
  }

  /** A MAIL that leads to nothing is not free, although most of its refusals are no errors of the client. */
  #answerMail(reply: SmtpReply): void {
    this.#reply(reply);
    // That a 5xx is an error was counted with the reply.
    if (reply.code >= 400 && this.#conduct.idle() && reply.code < 500) this.#countError();
  }

  #mail(line: string): SmtpReply {
    if (this.#transaction !== undefined) return { code: 503, enhanced: '5.5.1', text: 'Nested MAIL command' };
    const begun = openTransaction(line, this.secure, this.#context);
    if (!(begun instanceof Transaction)) return begun;
    this.#transaction = begun;
    this.session.envelope.mailFrom = { address: begun.sender, args: false };
    return { code: 250, enhanced: '2.1.0', text: 'Ok' };
  }

  #rcpt(line: string): void {
    if (this.#transaction === undefined) {
      this.#reply({ code: 503, enhanced: '5.5.1', text: 'MAIL comes first' });
      return;
    }
    const before = this.#transaction.recipientCount;
    const reply = this.#transaction.addRecipient(line, this.#user !== undefined || this.#trusted);
    const isSurplus = reply.code < 500 && this.#transaction.recipientCount === before;
    if (reply.code >= 400) {
      this.#context.counters.refusedRecipients += 1;
      this.#context.strangers.info({ client: this.client, reply: `${reply.code} ${reply.text}` }, 'recipient refused');
    }
    this.#reply(reply);
    if (isSurplus && this.#conduct.surplusRecipient()) this.#countError();
  }

  /** Answers a message. A refused one does not count as an error of the client. */
  #finish(reception: Reception, reply: SmtpReply): void {
    this.#watch?.data(reception.size, reception.traceId);
    this.#reception = undefined;
    this.#deadline?.refresh();
    this._resetSession();
    if (reply.code < 400) {
      this.#conduct.messageTaken();
      if (this.#waited) this.#context.gate.markPatient(this.client);
    }
    this.#put(reply.code, replyLines(reply, reception.envelope.smtpUtf8), COMPLETE);
    if (this._closing || this._closed) this.#over();
    else if (this.#context.gate.stopping) this.shutDown();
  }

  #reply(reply: SmtpReply): void {
    this.send(reply.code, replyLines(reply, this.#transaction?.parameters.smtpUtf8 === true), COMPLETE);
  }

  /** The session has ended: what was still coming in is dropped. What is being handled keeps the place until it is done. */
  #over(): void {
    this.#watch?.end(this.client);
    clearTimeout(this.#deadline);
    if (this.#reception?.handling === true) return;
    if (this.#counted !== undefined) this.#context.gate.leave(this.#counted);
    this.#counted = undefined;
    this.#reception?.abort();
    this.#reception = undefined;
  }
}
