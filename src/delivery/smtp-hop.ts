import { readFileSync } from 'node:fs';
import { HopError } from './client/errors.js';
import { isSafe, unfit } from './client/commands.js';
import type { Extensions } from './client/extensions.js';
import { Pool, POOL, type Lease, type PoolOptions } from './client/pool.js';
import { openSession, TIMEOUTS, type ClientTimeouts, type SessionOptions } from './client/session.js';
import { transact, UnansweredError } from './client/transaction.js';
import { HopUrlError, type SmtpTarget } from './hop-url.js';
import { isOwnLack } from './own-lack.js';
import { ownReply } from './reply.js';
import type { HopReply, HopResult, NextHop, OutgoingMail, RecipientResult } from './types.js';

export interface SmtpHopOptions {
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly pool?: Partial<PoolOptions>;
  readonly timeouts?: Partial<ClientTimeouts>;
}

/**
 * A next hop that speaks SMTP, with its own pool of connections.
 * @throws HopUrlError when the file of `?ca=` cannot be read
 */
export function smtpHop(target: SmtpTarget, options: SmtpHopOptions): NextHop {
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const session: SessionOptions = {
    hostname: options.hostname,
    timeouts,
    ...(target.ca === undefined ? {} : { ca: readCertificates(target.ca) }),
  };
  const open = () => openSession(target, session);
  const pool = new Pool(open, { ...POOL, ...options.pool });

  /** One try; a kept connection that turns out to be dead is replaced by a new one, once. */
  async function attempt(mail: OutgoingMail, fresh: boolean): Promise<HopResult> {
    const lease = await pool.take(fresh);
    try {
      return await carry(lease, mail);
    } catch (error) {
      if (error instanceof UnansweredError && lease.used && !fresh) return await attempt(mail, true);
      throw error;
    }
  }

  async function carry(lease: Lease, given: OutgoingMail): Promise<HopResult> {
    let dirty = lease.dirty;
    try {
      const mail = await fitted(given, lease.session.extensions);
      const reason = unfit(mail, lease.session.extensions);
      if (reason !== undefined) return { recipients: all(mail, 'refused', reason), hopFailed: false };
      const result = await transact(lease.session, mail, timeouts, lease.dirty);
      dirty = result.dirty;
      const stage = result.failure?.stage;
      return {
        recipients: withDsn(result.recipients, lease.session.extensions.dsn ? 'passed-on' : 'not-offered'),
        hopFailed: stage !== undefined && stage !== 'content',
        ...(stage === 'end-of-data' ? { inDoubt: true } : {}),
      };
    } finally {
      pool.give(lease, dirty);
    }
  }

  return {
    name: target.name,
    async send(mail) {
      const good = mail.recipients.filter(({ address }) => isSafe(address));
      if (good.length === 0) return { recipients: all(mail, 'refused', BAD_ADDRESS), hopFailed: false };
      const result = await attempt({ ...mail, recipients: good }, false).catch((error: unknown) => failed(mail, error));
      if (good.length === mail.recipients.length) return result;
      const results = new Map(good.map((recipient, index) => [recipient, result.recipients[index]]));
      return {
        ...result,
        recipients: mail.recipients.map(
          (recipient) => results.get(recipient) ?? { address: recipient.address, state: 'refused', reply: BAD_ADDRESS },
        ),
      };
    },
    async probe() {
      const { connection } = await open();
      connection.quit();
    },
    close() {
      pool.close();
      return Promise.resolve();
    },
  };
}

const NO_MEANS = ownReply(451, '4.3.0', 'the gateway has no means for another connection just now');
/** Mail that we wrote ourselves goes out in 7 bits where the server takes no more. */
async function fitted(mail: OutgoingMail, { eightBitMime }: Extensions): Promise<OutgoingMail> {
  if (!mail.eightBit || eightBitMime || mail.sevenBit === undefined) return mail;
  return { ...mail, content: await mail.sevenBit(), eightBit: false };
}

const BAD_ADDRESS = ownReply(553, '5.1.3', 'the address cannot be passed on');

function failed(mail: OutgoingMail, error: unknown): HopResult {
  if (isOwnLack(error)) return { recipients: all(mail, 'deferred', NO_MEANS), hopFailed: false, ownLack: true };
  const reply = error instanceof HopError ? error.reply : ownReply(451, '4.3.0', 'the delivery failed');
  return { recipients: all(mail, 'deferred', reply), hopFailed: true };
}

function withDsn(results: readonly RecipientResult[], dsn: RecipientResult['dsn'] & string): RecipientResult[] {
  return results.map((result) => {
    const { address, state, reply } = result;
    return state === 'delivered' ? { address, state, reply, dsn } : result;
  });
}

function all(mail: OutgoingMail, state: RecipientResult['state'], reply: HopReply): RecipientResult[] {
  return mail.recipients.map(({ address }) => ({ address, state, reply }));
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HopUrlError('the file of ca= cannot be read', { cause: error });
  }
}
