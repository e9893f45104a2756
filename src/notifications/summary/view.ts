import type { Tally } from '../../store/sending-types.js';
import { nodeView, printed, PRODUCT, safe, texts, type ViewPlace } from '../templates/views.js';
import type { Words } from '../templates/words.js';
import { formatZoned } from '../zoned-time.js';
import type { SummaryContext } from './types.js';

/** The values that a template of kind `summary` can show, made harmless for their place. */
export function summaryView(
  { summary, node }: SummaryContext,
  place: ViewPlace,
  mydomain: string,
  words: Words,
): object {
  const time = (at: number): string => formatZoned(at, node.timezone);
  const counts = (tallies: readonly Tally[]): readonly object[] =>
    printed(
      tallies.map(({ name, title, count }) => {
        const shown = safe(title === undefined ? name : `${title} (${name})`, place);
        return printed({ name: shown, count: String(count) }, `${shown}: ${String(count)}`);
      }),
    );
  const omitted = summary.messages - summary.traceIds.length;
  return {
    productName: PRODUCT,
    mydomain,
    ...nodeView(node),
    date: time(summary.time),
    summaryId: summary.id,
    total: String(summary.total),
    messageCount: String(summary.messages),
    firstTime: time(summary.first),
    lastTime: time(summary.last),
    ruleCounts: counts(summary.rules),
    templateCounts: counts(summary.templates.map(({ name, count }) => ({ name: words.say('mails', name), count }))),
    senderDomains: counts(summary.sources),
    messageIds: texts(summary.traceIds, words),
    messageIdsOmitted: omitted > 0 ? String(omitted) : '',
  };
}
