import type { Summary } from '../store/sending-types.js';
import { notificationJson } from './notifications-view.js';
import { itemJson } from './queue-show.js';
import type { MailStory, MessageStory, Story } from './trace-find.js';

/** The shape that scripts rely on. @param others stories that the same ID means as well */
export function storyJson(story: Story, others: readonly Story[]): object {
  const shaped = 'entry' in story ? messageJson(story) : mailJson(story);
  return others.length === 0 ? shaped : { ...shaped, others: others.map(idOf) };
}

function idOf(story: Story): string {
  if ('entry' in story) return story.entry.id;
  const [first] = story.notifications;
  return first?.traceId ?? first?.id ?? '';
}

function messageJson({ entry, notifications, quarantine, spool, summaries, due }: MessageStory): object {
  const decisions = entry.decisions.map(({ recipient, decision, considered, changes }) => ({
    recipient,
    rule: decision.rule,
    action: decision.action,
    quarantine: decision.quarantine,
    tags: decision.tags,
    fired: decision.fired,
    reply: decision.reply ?? null,
    notes: decision.notes,
    changes,
    considered,
  }));
  const kept =
    quarantine === undefined
      ? null
      : {
          state: quarantine.state,
          recipients: quarantine.recipients,
          rules: quarantine.rules,
          releases: quarantine.releases,
        };
  return {
    ...entry,
    decisions,
    spool: spool.map(itemJson),
    quarantine: kept,
    notifications: notifications.map((one) => {
      const summaryDue = one.state === 'folded' ? due.get(one.to) : undefined;
      return { ...notificationJson(one), ...(summaryDue === undefined ? {} : { summaryDue }) };
    }),
    summaries: summaries.map(notificationJson),
  };
}

/** A mail that is about no message of the journal, in the same keys as far as they fit. */
function mailJson({ notifications, event, summary }: MailStory): object {
  const [first] = notifications;
  return {
    id: first?.traceId ?? first?.id,
    time: first?.time,
    kind: first?.kind,
    messageId: first?.messageId,
    recipients: notifications.map(({ to }) => to),
    ...(event === undefined
      ? {}
      : {
          event: { kind: event.kind, conditions: event.conditions, changes: event.changes, resolved: event.resolved },
        }),
    ...(summary?.said === undefined ? {} : { summary: saidJson(summary.said) }),
    ...(summary === undefined ? {} : { folded: summary.folded.map(notificationJson) }),
    notifications: notifications.map(notificationJson),
  };
}

function saidJson({ time, first, last, ...said }: Summary): object {
  return { ...said, time: new Date(time), first: new Date(first), last: new Date(last) };
}
