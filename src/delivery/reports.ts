import { createHash, randomUUID } from 'node:crypto';
import type { Config } from '../config/load.js';
import type { Envelope } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import { readMessage } from '../message/read.js';
import type { TraceId } from '../message/trace-id.js';
import { withId } from '../notifications/compose.js';
import { addressOf, isSameAddress } from '../notifications/mailbox.js';
import { NO_NOTICES, type NoticeReporter } from '../notifications/notices.js';
import type { Templates } from '../notifications/templates/load.js';
import { formatZoned } from '../notifications/zoned-time.js';
import { renderTemplate } from '../notifications/templates/render.js';
import { siteOf } from '../notifications/templates/site.js';
import type { DsnContext, ReportedRecipient } from '../notifications/types.js';
import type { LedgerEntry, NotificationState } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { bounceBar, wants } from './bounce.js';
import { adviceFor } from './dsn/advice.js';
import { composeDsn } from './dsn/compose.js';
import { headerOf, returnedPart, type Returned } from './dsn/original.js';
import { asked, hostOf, statusOf } from './dsn/status.js';
import type { DsnInput, DsnRecipient, DsnText } from './dsn/types.js';
import { plainText } from './dsn/plain-text.js';
import { replyLine } from './reply.js';
import type { DsnTemplate, SpoolItem } from './spool-item.js';
import { newItem } from './spool-item.js';
import type { DeliveryRequest } from './types.js';

/** What delivery needs to tell people about what becomes of mail. */
export interface Reporting {
  /** Texts of DSNs; a plain one is used where there is none. */
  readonly templates?: Templates;
  /** Notices to the admins. */
  readonly notices?: NoticeReporter;
  /** Rows of the ledger about DSNs. Never waits, never throws. */
  readonly record?: (entries: readonly LedgerEntry[]) => void;
}

export interface ReportsOptions extends Reporting {
  readonly config: Pick<Config, 'domains' | 'node' | 'notifications' | 'smtp'>;
  readonly log: Log;
  readonly now: () => number;
  /** Whether an item of that key lies in the spool. */
  readonly has: (key: string) => boolean;
  /** Puts a DSN into the spool. @throws SpoolFullError */
  readonly add: (item: SpoolItem, content: Content) => Promise<void>;
}

/** The message that a DSN is about. */
export type ReportedMessage = Pick<DeliveryRequest, 'traceId' | 'bounce' | 'replaces'> & {
  readonly envelope: Omit<Envelope, 'recipients'>;
  readonly receivedAt: Date;
  /** Until when it is tried. */
  readonly retryUntil?: Date;
};

const CONDITION = { 'dsn-failure': 'failure', 'dsn-delay': 'delay', 'dsn-success': 'success' } as const;
const HEADER_LIMITS = { maxDepth: 1, maxParts: 1, maxArchiveEntries: 0, maxUnpacked: 0 };

/** Tells senders by DSNs, and the admins by notices, what became of mail. */
export class Reports {
  readonly #options: ReportsOptions;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /**
   * Spools a DSN for those of the recipients whose NOTIFY asks for it, unless it is not to be sent: that is recorded.
   * @param key of the DSN's item; one that lies there already is not written again
   * @returns why nothing was sent
   * @throws SpoolFullError
   */
  async dsn(
    template: DsnTemplate,
    key: string,
    message: ReportedMessage,
    content: Content,
    recipients: readonly DsnRecipient[],
  ): Promise<string | undefined> {
    const { config, log, has } = this.#options;
    const wanted = recipients.filter(({ recipient }) => wants(recipient, CONDITION[template]));
    const bar =
      bounceBar(message.envelope, message.bounce, config.domains) ??
      (isSameAddress(message.envelope.sender, addressOf(config.notifications.from))
        ? 'it is our own sender address'
        : undefined) ??
      (wanted.length === 0 ? 'NOTIFY asks for none' : undefined);
    if (bar !== undefined) {
      // Nobody waits for word of a success that he did not ask for.
      if (template !== 'dsn-success' || wanted.length > 0)
        this.#record(template, key, message.traceId, message.envelope.sender, 'suppressed', bar);
      return bar;
    }
    if (has(key)) return undefined;
    const made = await this.#compose(template, key, message, content, wanted);
    await this.#options.add(made.item, made.content);
    this.#record(template, key, message.traceId, message.envelope.sender, 'queued');
    log.info({ id: message.traceId, item: key, template, recipients: wanted.length }, 'the sender is told');
    return undefined;
  }

  /** A DSN of ours has come to its end. */
  settled(item: SpoolItem, state: 'sent' | 'failed', reply: string): void {
    const [recipient] = item.recipients;
    if (item.dsn !== undefined && recipient !== undefined)
      this.#record(item.dsn, item.item, item.traceId, recipient.address, state, undefined, reply);
  }

  /** For sentences that people read. @param time in ISO 8601 @returns in the node's zone */
  shownTime(time: string): string {
    return formatZoned(Date.parse(time), this.#options.config.node.timezone);
  }

  /** Tells the admins. In the outbox when this resolves, where the class is on. */
  async notice(
    about: 'bounce' | 'double-bounce' | 'delay',
    errorDescription: string,
    message: ReportedMessage,
    content: Content,
    recipients: readonly DsnRecipient[],
  ): Promise<void> {
    const { notices = NO_NOTICES } = this.#options;
    if (!notices.wants(about)) return;
    await notices.tell({
      class: about,
      errorDescription,
      message: await describe(message, content, recipients),
      reported: recipients.map(reportedOf),
      original: content,
    });
  }

  async #compose(
    template: DsnTemplate,
    key: string,
    message: ReportedMessage,
    content: Content,
    recipients: readonly DsnRecipient[],
  ): Promise<{ readonly item: SpoolItem; readonly content: Content }> {
    const { hostname } = this.#options.config.smtp;
    const { envelope, traceId } = message;
    const time = new Date(this.#options.now());
    const input: DsnInput = {
      ...message,
      id: `${key}.${randomUUID()}`,
      recipients,
      now: time,
      hostname,
      writing: this.#options.config.notifications,
    };
    // RFC 3461 4.3: RET is about failures.
    const whole = template === 'dsn-failure' && envelope.ret === 'full';
    const returned = await returnedPart(content, whole, envelope.smtpUtf8);
    const dsn = composeDsn(input, await this.#text(template, message, content, recipients, returned), returned);
    const recipient = { address: envelope.sender, notify: ['never' as const] };
    const { eightBit, smtpUtf8 } = dsn;
    const from = { sender: '', client: '', helo: hostname, tls: false, trusted: true, smtpUtf8, eightBit };
    const mail = {
      item: key,
      traceId,
      envelope: { ...from, recipients: [recipient] },
      content: dsn.content,
      eightBit,
      bounce: 'never' as const,
      ...(message.replaces === undefined ? {} : { replaces: message.replaces }),
    };
    return { item: { ...newItem(mail, time, ''), dsn: template }, content: dsn.content };
  }

  /** A template that is missing or fails must not keep a sender from being told. */
  async #text(
    name: DsnTemplate,
    message: ReportedMessage,
    content: Content,
    recipients: readonly DsnRecipient[],
    returned: Returned,
  ): Promise<DsnText> {
    const { config, templates, log } = this.#options;
    const { node, smtp, notifications } = config;
    const context: DsnContext = {
      kind: 'dsn',
      ...(await describe(message, content, recipients)),
      node: {
        name: node.name,
        address: node.address,
        port: smtp.listen[0]?.port ?? 0,
        comment: node.comment,
        timezone: node.timezone,
      },
      reported: recipients.map(reportedOf),
      ...(message.retryUntil === undefined ? {} : { retryUntil: message.retryUntil.getTime() }),
      returned: returned.kind,
    };
    const template = templates?.get(name);
    try {
      if (template !== undefined)
        return withId(renderTemplate(template, context, siteOf(config)), message.traceId, notifications.messageId);
    } catch (error) {
      log.error({ template: name, err: error }, 'a template cannot be filled in: the plain text is sent');
    }
    return withId(plainText(name, context, template?.words), message.traceId, notifications.messageId);
  }

  #record(
    template: DsnTemplate,
    key: string,
    traceId: TraceId,
    to: string,
    state: NotificationState,
    reason?: string,
    lastReply?: string,
  ): void {
    const id = `d${createHash('sha256')
      .update(JSON.stringify([key, template]))
      .digest('hex')
      .slice(0, 39)}`;
    this.#options.record?.([
      {
        id,
        kind: 'dsn',
        traceId,
        to: to === '' ? '<>' : to,
        template,
        state,
        ...(reason === undefined ? {} : { reason }),
        ...(lastReply === undefined ? {} : { lastReply }),
        attempts: state === 'sent' || state === 'failed' ? 1 : 0,
        messageId: '',
        time: new Date(this.#options.now()),
      },
    ]);
  }
}

/** What can be told of a message: its header is read, its body is not. */
async function describe(
  { traceId, envelope, receivedAt }: ReportedMessage,
  content: Content,
  recipients: readonly DsnRecipient[],
): Promise<Omit<DsnContext, 'kind' | 'node' | 'reported' | 'retryUntil' | 'returned'>> {
  const header = readMessage(await headerOf(content), HEADER_LIMITS, { depth: 'header' });
  const addresses = recipients.map(({ recipient }) => recipient.address);
  return {
    messageId: traceId,
    smtpMessageId: header.messageId,
    subject: header.subject,
    date: receivedAt.getTime(),
    sender: envelope.sender,
    senderIp: envelope.client,
    allRecipients: addresses,
    affectedRecipients: addresses,
    size: content.size,
  };
}

function reportedOf(one: DsnRecipient): ReportedRecipient {
  const status = statusOf(one);
  const { reason, advice } = adviceFor(status);
  const relayed = 'It was handed on to a server that does not report back.';
  return {
    address: one.recipient.address,
    reason: one.action === 'relayed' ? relayed : reason,
    advice,
    status,
    server: one.hop !== undefined && asked(one) && one.reply.own !== true ? hostOf(one.hop) : '',
    reply: replyLine(one.reply),
  };
}
