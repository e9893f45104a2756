import type { EventMail } from '../store/event-mail-types.js';
import type { OpenStore } from '../store/open.js';
import type { JournalEntry, LedgerEntry, QuarantineRecord } from '../store/types.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import { bare, findNotifications } from './notifications-view.js';

/** The story of a message. */
export interface MessageStory {
  readonly entry: JournalEntry;
  readonly notifications: readonly LedgerEntry[];
  /** Absent where the message is not in the quarantine (any more). */
  readonly quarantine?: QuarantineRecord;
}

/** The story of a mail that is about no single message: of events, or a summary. */
export interface MailStory {
  /** At least one: a row for each recipient. */
  readonly notifications: readonly LedgerEntry[];
  /** What a mail about events said, while that is kept. */
  readonly event?: EventMail;
}

export type Story = MessageStory | MailStory;

/**
 * All that an ID can mean: a trace ID, with or without the number of a copy; the Message-ID of a message, of one of its
 * notifications or of its DSN, with or without angle brackets; the ID of a notification.
 */
export async function findStories(store: OpenStore, wanted: string): Promise<readonly Story[]> {
  const id = bare(wanted);
  const traceId = traceIdIn(id);
  if (traceId !== undefined) {
    const story = await storyOf(store, traceId);
    if (story !== undefined) return [story];
  }
  const messages = await store.journal.findByMessageId(id);
  if (messages.length > 0) return await Promise.all(messages.map(async (entry) => await tell(store, entry)));
  return await ofNotifications(store, await findNotifications(store, id));
}

/** The trace ID that the text is, or that it begins with: a spooled item, or the Message-ID of a DSN. */
function traceIdIn(id: string): TraceId | undefined {
  return parseTraceId(/^[^.@]*/.exec(id)?.[0] ?? '');
}

async function ofNotifications(store: OpenStore, found: readonly LedgerEntry[]): Promise<readonly Story[]> {
  const about = new Set(found.flatMap(({ traceId }) => (traceId === undefined ? [] : [traceId])));
  const messages = await Promise.all([...about].map(async (traceId) => await storyOf(store, traceId)));
  const mails = found.filter(({ traceId }) => traceId === undefined);
  const stories: Story[] = messages.filter((story) => story !== undefined);
  if (mails.length > 0) stories.push(await ofMail(store, mails));
  return stories;
}

async function ofMail(store: OpenStore, notifications: readonly LedgerEntry[]): Promise<MailStory> {
  const [first] = notifications;
  if (first?.kind !== 'event') return { notifications };
  const event = await store.notifications.eventMail(first.id.slice(0, first.id.length - first.to.length - 1));
  return { notifications, ...(event === undefined ? {} : { event }) };
}

/** What journal, quarantine and ledger know of a message; undefined when none of them does. */
async function storyOf(store: OpenStore, traceId: TraceId): Promise<Story | undefined> {
  const entry = await store.journal.find(traceId);
  if (entry !== undefined) return await tell(store, entry);
  const kept = await store.quarantine.get(traceId);
  if (kept !== undefined) return await tell(store, entryOf(kept));
  const notifications = await store.ledger.ofMessage(traceId);
  return notifications.length === 0 ? undefined : { notifications };
}

async function tell(store: OpenStore, entry: JournalEntry): Promise<MessageStory> {
  const quarantine = await store.quarantine.get(entry.id);
  const notifications = await store.ledger.ofMessage(entry.id);
  return { entry, notifications, ...(quarantine === undefined ? {} : { quarantine }) };
}

/** What the quarantine still knows of a message whose journal row is gone, or was never written. */
function entryOf(item: QuarantineRecord): JournalEntry {
  const { id, time, node, envelope, subject, messageId, size, findings, decisions } = item;
  return {
    id,
    time,
    node,
    client: envelope.client,
    helo: envelope.helo,
    sender: envelope.sender,
    recipients: envelope.recipients.map((r) => r.address),
    subject,
    messageId,
    size,
    findings,
    modules: [],
    decisions,
    audit: [],
    deliveries: [],
    reply: '(the journal does not know this message any more; this is from the quarantine)',
  };
}
