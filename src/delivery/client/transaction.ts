import { ownReply, toHopReply } from '../reply.js';
import type { HopReply, OutgoingMail, RecipientResult } from '../types.js';
import { mailCommand, needsUtf8, rcptCommand } from './commands.js';
import { describe } from './connection.js';
import { DotStuffing } from './dot-stuffing.js';
import { HopError, type Stage } from './errors.js';
import type { SmtpReplyLines } from './reply-parser.js';
import type { ClientTimeouts, Session } from './session.js';

/** This process was held up for so long that another one may have sent it. */
const NOT_WANTED = ownReply(451, '4.4.7', 'given up: it was held up for too long');
/** Data up to this size goes out with its end in one write. */
const ONE_WRITE = 256 * 1024;

export interface TransactionResult {
  /** In the order of the mail's recipients. What the server has refused for good stays so when the rest fails. */
  readonly recipients: readonly RecipientResult[];
  /** The transaction is still open on the server: RSET goes before the next. */
  readonly dirty: boolean;
  /** The session broke; it cannot be used again. */
  readonly failure?: HopError;
}

/** A session failed before the server had answered anything of the transaction. */
export class UnansweredError extends HopError {}

/** The replies of a transaction so far. */
interface Heard {
  mail?: SmtpReplyLines;
  readonly rcpt: SmtpReplyLines[];
  final?: SmtpReplyLines;
}

/**
 * One mail over a session that is ready (RFC 5321 3.3), pipelined where the server offers it (RFC 2920).
 * @param reset the last transaction was left open: RSET goes first
 * @throws UnansweredError
 */
export async function transact(
  session: Session,
  mail: OutgoingMail,
  timeouts: ClientTimeouts,
  reset: boolean,
): Promise<TransactionResult> {
  const heard: Heard = { rcpt: [] };
  try {
    const dirty = await run(new Steps(session, timeouts), mail, heard, reset);
    return { recipients: settle(mail, heard), dirty };
  } catch (error) {
    session.connection.destroy();
    if (error instanceof UnansweredError) throw error;
    const failure =
      error instanceof HopError
        ? error
        : new HopError('content', ownReply(451, '4.3.0', 'the message could not be read'), error);
    return { recipients: settle(mail, heard, failure.reply), dirty: true, failure };
  }
}

/** @returns whether the transaction is left open */
async function run(steps: Steps, mail: OutgoingMail, heard: Heard, reset: boolean): Promise<boolean> {
  const { extensions } = steps.session;
  const pipelined = extensions.pipelining;
  const first = mailCommand(mail, extensions);
  const utf8 = needsUtf8(mail);
  const rcpts = mail.recipients.map((recipient) => rcptCommand(recipient, extensions, utf8));
  if (pipelined) {
    const commands = [...(reset ? ['RSET\r\n'] : []), first, ...rcpts, 'DATA\r\n'];
    await steps.write([commands.join('')], commands.length);
  }
  if (reset) {
    if (!pipelined) await steps.write(['RSET\r\n'], 1);
    const reply = await steps.reply('mail');
    // Nothing of this mail was taken: a new connection may do.
    if (!isOk(reply)) throw new UnansweredError('mail', toHopReply(reply));
  }
  if (!pipelined) await steps.write([first], 1);
  heard.mail = await steps.reply('mail');
  if (!pipelined && !isOk(heard.mail)) return true;
  for (const rcpt of rcpts) {
    if (!pipelined) await steps.write([rcpt], 1);
    heard.rcpt.push(await steps.reply('mail'));
  }
  const accepted = isOk(heard.mail) && heard.rcpt.some(isOk);
  if (!pipelined) {
    if (!accepted) return true;
    await steps.write(['DATA\r\n'], 1);
  }
  const data = await steps.reply('data');
  if (!accepted) {
    // RFC 2920 3.1: a server may take DATA without a recipient; an empty message ends it.
    if (data.code === 354) {
      await steps.write(['.\r\n'], 1);
      await steps.reply('end-of-data');
    }
    return true;
  }
  if (data.code !== 354) throw new HopError('data', toHopReply(data));
  heard.final = await sendData(steps, mail);
  return false;
}

/** Writes the message and its end; a reply that comes before the end means that the server does not want the rest. */
async function sendData(steps: Steps, mail: OutgoingMail): Promise<SmtpReplyLines> {
  const stuffing = new DotStuffing();
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const chunk of mail.content.read()) {
    for (const piece of stuffing.pieces(chunk)) {
      waiting.push(piece);
      size += piece.length;
    }
    if (size < ONE_WRITE) continue;
    await steps.write(waiting, 0);
    waiting = [];
    size = 0;
    const early = steps.unasked();
    if (early !== undefined) return early;
  }
  const early = steps.unasked();
  if (early !== undefined) return early;
  if (mail.wanted?.() === false) throw new HopError('content', NOT_WANTED);
  steps.endsData();
  await steps.write([...waiting, stuffing.end()], 1);
  return steps.reply('end-of-data');
}

/** Writing and reading of one transaction, with errors that tell the stage. */
class Steps {
  readonly session: Session;
  readonly #timeouts: ClientTimeouts;
  #answered = false;
  #ended = false;

  constructor(session: Session, timeouts: ClientTimeouts) {
    this.session = session;
    this.#timeouts = timeouts;
  }

  async write(pieces: readonly (Buffer | string)[], replies: number): Promise<void> {
    await this.session.connection.write(pieces, replies, this.#timeouts.data);
  }

  async reply(stage: 'mail' | 'data' | 'end-of-data'): Promise<SmtpReplyLines> {
    const { command, data, end } = this.#timeouts;
    const timeout = stage === 'mail' ? command : stage === 'data' ? data : end;
    let reply: SmtpReplyLines;
    try {
      reply = await this.session.connection.reply(timeout);
    } catch (error) {
      throw this.#failure(stage, ownReply(451, '4.4.2', describe(error)), error);
    }
    // RFC 5321 3.8: the server closes after 421.
    if (reply.code === 421) throw this.#failure(stage, toHopReply(reply));
    this.#answered = true;
    return reply;
  }

  /** A refusal that came before the data had ended: the connection is given up, as the server would take the rest for data. */
  unasked(): SmtpReplyLines | undefined {
    const reply = this.session.connection.takeUnasked();
    if (reply === undefined) {
      const { lost } = this.session.connection;
      if (lost !== undefined) throw new HopError('data', ownReply(451, '4.4.2', describe(lost)), lost);
      return undefined;
    }
    this.session.connection.destroy();
    if (reply.code < 500) throw new HopError('data', toHopReply(reply));
    return reply;
  }

  /** From here on a lost connection leaves open whether the server has the mail. */
  endsData(): void {
    this.#ended = true;
  }

  #failure(stage: Stage, reply: HopReply, cause?: unknown): HopError {
    if (!this.#answered) return new UnansweredError(stage, reply, cause);
    // An explicit 421 says that the mail was not taken.
    const open = this.#ended && reply.code !== 421;
    return new HopError(this.#ended && !open ? 'data' : stage, reply, cause);
  }
}

function settle(mail: OutgoingMail, heard: Heard, failure?: HopReply): RecipientResult[] {
  return mail.recipients.map(({ address }, index) => {
    const rcpt = heard.rcpt[index];
    const reply = !isOk(heard.mail) ? heard.mail : isOk(rcpt) ? heard.final : rcpt;
    if (reply === undefined)
      return { address, state: 'deferred', reply: failure ?? ownReply(451, '4.5.0', 'the server did not answer') };
    const said = toHopReply(reply);
    const state = reply === rcpt && isTooMany(said) ? 'deferred' : stateOf(reply);
    return { address, state, reply: said };
  });
}

function stateOf({ code }: SmtpReplyLines): RecipientResult['state'] {
  if (code < 300) return 'delivered';
  return code >= 500 ? 'refused' : 'deferred';
}

/**
 * RFC 5321 4.5.3.1.10: 552 to RCPT is "too many recipients", as RFC 821 had it, and temporary; unless the enhanced code
 * speaks of the mailbox or the message. RFC 3463 3.6: X.5.3, too many recipients.
 */
function isTooMany({ code, enhanced }: HopReply): boolean {
  return code === 552 && (enhanced === undefined || enhanced.endsWith('.5.3'));
}

function isOk(reply: SmtpReplyLines | undefined): boolean {
  return reply !== undefined && reply.code < 300;
}
