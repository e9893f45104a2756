import type { SpoolItem } from '../delivery/spool-item.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import type { EventMail } from '../store/event-mail-types.js';
import type { OpenStore } from '../store/open.js';
import type { Summary } from '../store/sending-types.js';
import type { JournalEntry, LedgerEntry, QuarantineRecord } from '../store/types.js';
import { bare, findNotifications } from './notifications-view.js';
import { eachItemOf } from './spools.js';

/** The story of a message. */
export interface MessageStory {
  readonly entry: JournalEntry;
  readonly notifications: readonly LedgerEntry[];
  /** Absent where the message is not in the quarantine (any more). */
  readonly quarantine?: QuarantineRecord;
  /** What of it waits in the spool of this node. */
  readonly spool: readonly SpoolItem[];
  /** Rows of the summaries that tell of those of its notifications that were folded. */
  readonly summaries: readonly LedgerEntry[];
  /** When the next summary is due for the addresses of those that none has told of yet. */
  readonly due: ReadonlyMap<string, Date>;
}

/** The story of a mail that is about no single message: of events, or a summary. */
export interface MailStory {
  /** At least one: a row for each recipient. */
  readonly notifications: readonly LedgerEntry[];
  /** What a mail about events said, while that is kept. */
  readonly event?: EventMail;
  readonly summary?: SummaryStory;
}

export interface SummaryStory {
  /** What it said, while that is kept. */
  readonly said?: Summary;
  /** The notifications that it stands for, newest first, 10,000 at most. */
  readonly folded: readonly LedgerEntry[];
}

export type Story = MessageStory | MailStory;

/**
 * All that an ID can mean: a trace ID, with or without the number of a copy; the Message-ID of a message, of one of its
 * notifications or of its DSN, with or without angle brackets; the ID of a notification.
 * @param spools of this node
 */
export async function findStories(
  store: OpenStore,
  wanted: string,
  spools: readonly string[],
): Promise<readonly Story[]> {
  const id = bare(wanted);
  const traceId = traceIdIn(id);
  if (traceId !== undefined) {
    const [story] = await storiesOf(store, [traceId], spools);
    if (story !== undefined) return [story];
  }
  const messages = await store.journal.findByMessageId(id);
  if (messages.length > 0)
    return await storiesOf(
      store,
      messages.map((entry) => entry.id),
      spools,
      messages,
    );
  return await ofNotifications(store, await findNotifications(store, id), spools);
}

/** What the spool of this node has of a message, where there is no database to ask. */
export async function findInSpool(wanted: string, spools: readonly string[]): Promise<readonly Story[]> {
  const traceId = traceIdIn(bare(wanted));
  if (traceId === undefined) return [];
  const [item, ...more] = (await spooled([traceId], spools)).get(traceId) ?? [];
  if (item === undefined) return [];
  return [{ entry: entryOfItem(item), notifications: [], spool: [item, ...more], summaries: [], due: new Map() }];
}

/** The trace ID that the text is, or that it begins with: a spooled item, or the Message-ID of a DSN. */
function traceIdIn(id: string): TraceId | undefined {
  return parseTraceId(/^[^.@]*/.exec(id)?.[0] ?? '');
}

async function ofNotifications(
  store: OpenStore,
  found: readonly LedgerEntry[],
  spools: readonly string[],
): Promise<readonly Story[]> {
  const about = new Set(found.flatMap(({ traceId }) => (traceId === undefined ? [] : [traceId])));
  const stories = [...(await storiesOf(store, [...about], spools))];
  const mails = found.filter(({ traceId }) => traceId === undefined);
  if (mails.length > 0) stories.push(await ofMail(store, mails));
  return stories;
}

async function ofMail(store: OpenStore, notifications: readonly LedgerEntry[]): Promise<MailStory> {
  const [first] = notifications;
  if (first?.kind === 'summary') {
    const said = await store.notifications.summary(first.id);
    const folded = await store.notifications.list({ summary: first.id });
    return { notifications, summary: { folded, ...(said === undefined ? {} : { said }) } };
  }
  if (first?.kind !== 'event') return { notifications };
  const event = await store.notifications.eventMail(first.id.slice(0, first.id.length - first.to.length - 1));
  return { notifications, ...(event === undefined ? {} : { event }) };
}

/** What journal, quarantine, spool and ledger know of messages; nothing of those that none of them knows. */
async function storiesOf(
  store: OpenStore,
  ids: readonly TraceId[],
  spools: readonly string[],
  known: readonly JournalEntry[] = [],
): Promise<readonly Story[]> {
  if (ids.length === 0) return [];
  const inSpool = await spooled(ids, spools);
  const stories = await Promise.all(
    ids.map(async (id): Promise<Story | undefined> => {
      const notifications = await store.ledger.ofMessage(id);
      const quarantine = await store.quarantine.get(id);
      const spool = inSpool.get(id) ?? [];
      const entry =
        known.find((one) => one.id === id) ??
        (await store.journal.find(id)) ??
        (quarantine === undefined ? undefined : entryOfKept(quarantine)) ??
        (spool[0] === undefined ? undefined : entryOfItem(spool[0]));
      if (entry === undefined) return notifications.length === 0 ? undefined : { notifications };
      const told = await summariesOf(store, notifications);
      return { entry, notifications, spool, ...told, ...(quarantine === undefined ? {} : { quarantine }) };
    }),
  );
  return stories.filter((story) => story !== undefined);
}

async function spooled(ids: readonly TraceId[], spools: readonly string[]): Promise<ReadonlyMap<string, SpoolItem[]>> {
  const wanted = new Set<string>(ids);
  const found = new Map<string, SpoolItem[]>();
  for await (const item of eachItemOf(spools, { keys: (key) => wanted.has(key.slice(0, 26)) }))
    found.set(item.traceId, [...(found.get(item.traceId) ?? []), item]);
  return found;
}

async function summariesOf(
  store: OpenStore,
  notifications: readonly LedgerEntry[],
): Promise<Pick<MessageStory, 'summaries' | 'due'>> {
  const folded = notifications.filter(({ state }) => state === 'folded');
  const ids = new Set(folded.flatMap(({ summary }) => (summary === undefined ? [] : [summary])));
  const rows = await Promise.all([...ids].map(async (id) => await store.notifications.get(id)));
  const due = new Map<string, Date>();
  for (const { to, summary } of folded) {
    const time = summary === undefined ? await store.notifications.summaryDue(to) : undefined;
    if (time !== undefined) due.set(to, time);
  }
  return { summaries: rows.filter((row) => row !== undefined), due };
}

/** What the quarantine still knows of a message whose journal row is gone, or was never written. */
function entryOfKept(item: QuarantineRecord): JournalEntry {
  const { id, time, node, envelope, subject, messageId, size, findings, decisions } = item;
  return {
    ...{ id, time, node, subject, messageId, size, findings, decisions },
    client: envelope.client,
    helo: envelope.helo,
    sender: envelope.sender,
    recipients: envelope.recipients.map((r) => r.address),
    modules: [],
    audit: [],
    deliveries: [],
    reply: '(the journal does not know this message any more; this is from the quarantine)',
  };
}

/** What the spool knows of a message whose journal row is gone, or was never written. */
function entryOfItem({ traceId, receivedAt, envelope, recipients, size }: SpoolItem): JournalEntry {
  return {
    id: traceId,
    time: new Date(receivedAt),
    node: '(this one)',
    client: envelope.client,
    helo: envelope.helo,
    sender: envelope.sender,
    recipients: recipients.map((r) => r.address),
    subject: '',
    messageId: '',
    size,
    findings: [],
    modules: [],
    decisions: [],
    audit: [],
    deliveries: [],
    reply: '(the journal does not know this message (yet); this is from the spool)',
  };
}
