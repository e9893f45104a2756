import type { Config } from '../../config/load.js';
import type { JobOutcome } from '../../queue/types.js';
import type { EventMail, OwedEventMails } from '../../store/event-mail-types.js';
import type { Ledger, LedgerEntry } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { whileHeld, type Hold, type Holds } from '../holds.js';
import { insist } from '../insist.js';
import type { Clock } from '../job.js';
import { isFinal } from '../../store/ledger.js';
import { isDeliverable } from '../mailbox.js';
import type { Templates } from '../templates/load.js';
import { renderTemplate } from '../templates/render.js';
import type { MailTransport, NotifiedNode, TransportResult } from '../types.js';
import { composeEventMail, eventMessageId } from './compose.js';

export interface EventSenderOptions {
  readonly settings: () => Pick<Config['notifications'], 'charset' | 'from' | 'quotedPrintable' | 'retry'>;
  /** First of `domains`, for `%mydomain%`. */
  readonly mydomain: () => string;
  readonly ledger: Pick<Ledger, 'get' | 'put'>;
  readonly mails: Pick<OwedEventMails, 'settle'>;
  readonly transport: MailTransport;
  readonly templates: Templates;
  readonly node: () => NotifiedNode;
  readonly nodes: () => Promise<ReadonlyMap<string, NotifiedNode>>;
  readonly log: Log;
  readonly clock: Clock;
  /** Keeps others from sending the same at the same time; default: there are none. */
  readonly holds?: Pick<Holds, 'take'>;
  /** How long the ledger is asked again and again to take an outcome, ms; default: once. */
  readonly insist?: number;
}

const MAX_REPLY = 300;

/**
 * Sends one mail about events, and writes the ledger, a row for each recipient. A mail that is sent twice reaches again
 * only those of whom the ledger knows no outcome: the window between the server's 250 and the ledger's commit.
 * A failing one raises no event: the next mail would be about it.
 * @returns that it is over, or when it is to be tried again
 * @throws when the ledger cannot be reached
 */
export async function sendEventMail(mail: EventMail, options: EventSenderOptions): Promise<JobOutcome> {
  return await whileHeld(options.holds, mail.id, options.clock, async (hold) => await sendHeld(mail, options, hold));
}

async function sendHeld(mail: EventMail, options: EventSenderOptions, hold: Hold): Promise<JobOutcome> {
  const { ledger, clock, mails } = options;
  const { from, retry } = options.settings();
  const entries = await Promise.all(
    mail.to.map(async (to) => (await ledger.get(keyOf(mail, to))) ?? newEntry(mail, to, from)),
  );
  const open = entries.filter((entry) => !isFinal(entry));
  const now = clock.now();
  const given = open.filter(({ to }) => isDeliverable(to));
  for (const entry of open.filter(({ to }) => !isDeliverable(to)))
    await ledger.put({ ...entry, state: 'failed', reason: 'this is no address that mail can be sent to' });
  if (given.length === 0) {
    await mails.settle(mail.id);
    return 'done';
  }
  // Written before the attempt: a ledger that cannot be written now could not be told of a success either.
  const tried = given.map((entry) => ({ ...entry, attempts: entry.attempts + 1 }));
  for (const entry of tried) await ledger.put(entry);
  const result = await attempt(
    mail,
    tried.map(({ to }) => to),
    options,
    hold,
  );
  let left = 0;
  let earliest = Infinity;
  for (const entry of tried) {
    const deadline = since(mail, entry) + retry.lifetime;
    const after = conclude(entry, result, now >= deadline);
    if (!isFinal(after)) {
      left++;
      earliest = Math.min(earliest, deadline);
    }
    await insist(async () => await ledger.put(after), options.insist ?? 0);
  }
  report(mail, tried.length, left, result, options);
  if (left === 0) {
    await mails.settle(mail.id);
    return 'done';
  }
  const attempts = Math.max(...tried.map((entry) => entry.attempts));
  const delay = retry.delays[Math.min(attempts, retry.delays.length) - 1] ?? 60_000;
  return { again: Math.min(now + delay, Math.max(earliest, now)) };
}

/** When its lifetime began, ms since the epoch: one that an admin sent again has a new one. */
function since(mail: EventMail, { reopenedAt }: LedgerEntry): number {
  return Math.max(mail.time, reopenedAt?.getTime() ?? 0);
}

/** Ledger key of one recipient's mail. */
function keyOf(mail: EventMail, to: string): string {
  return `${mail.id}/${to.toLowerCase()}`;
}

function newEntry(mail: EventMail, to: string, from: string): LedgerEntry {
  return {
    id: keyOf(mail, to),
    kind: 'event',
    to,
    template: templateOf(mail),
    state: 'queued',
    attempts: 0,
    messageId: eventMessageId(mail.id, from),
    time: new Date(mail.time),
  };
}

function templateOf(mail: EventMail): string {
  return mail.kind === 'daily' ? 'events-daily' : 'events-change';
}

async function attempt(
  mail: EventMail,
  to: readonly string[],
  options: EventSenderOptions,
  hold: Hold,
): Promise<TransportResult['recipients']> {
  const { templates, transport, clock, log } = options;
  try {
    const template = templates.get(templateOf(mail), mail.language);
    if (template === undefined) throw new Error(`there is no template ${templateOf(mail)}`);
    const context = { kind: 'event', mail, node: options.node(), nodes: await options.nodes() } as const;
    const rendered = renderTemplate(template, context, { mydomain: options.mydomain() });
    const composed = await composeEventMail(mail, rendered, options.settings(), to, clock.now());
    const { recipients } = await transport.send({ ...composed, wanted: hold.sure });
    return recipients;
  } catch (error) {
    log.error({ id: mail.id, err: error }, 'a mail about events cannot be made');
    return to.map((address) => ({ address, state: 'deferred', reply: { text: 'the mail could not be made' } }));
  }
}

function conclude(entry: LedgerEntry, result: TransportResult['recipients'], over: boolean): LedgerEntry {
  const own = result.find(({ address }) => address === entry.to);
  const { code, enhanced, text } = own?.reply ?? { text: 'no answer about the recipient' };
  const lastReply = [code, enhanced, text]
    .filter((part) => part !== undefined)
    .join(' ')
    .slice(0, MAX_REPLY);
  if (own?.state === 'delivered') return { ...entry, lastReply, state: 'sent' };
  if (own?.state === 'refused') return { ...entry, lastReply, state: 'failed', reason: 'refused by the server' };
  return over
    ? { ...entry, lastReply, state: 'failed', reason: 'given up: its lifetime is over' }
    : { ...entry, lastReply };
}

function report(
  mail: EventMail,
  tried: number,
  left: number,
  result: TransportResult['recipients'],
  { log, transport }: EventSenderOptions,
): void {
  const sent = result.filter(({ state }) => state === 'delivered').length;
  const about = { id: mail.id, server: transport.name, sent, waiting: left, failed: tried - sent - left };
  if (sent === tried) log.info(about, 'mail about events sent');
  else log.warn(about, 'mail about events not sent to all');
}
