import { defang, defangMarked } from '../safe-text.js';
import type { DsnContext, NoticeContext, ReportedRecipient } from '../types.js';
import { formatZoned } from '../zoned-time.js';
import { messageView, printed, safe, texts, type ViewPlace } from './views.js';
import type { Words } from './words.js';

/** The values that templates of kind `dsn` and `notice` can show, made harmless for their place. */
export function mailView(
  context: DsnContext | NoticeContext,
  place: ViewPlace,
  mydomain: string,
  words: Words,
): object {
  const common = {
    ...messageView(context, place, mydomain, words),
    reported: printed(context.reported.map((one) => reportedView(one, place, words))),
  };
  if (context.kind === 'dsn')
    return {
      ...common,
      errorDescription: whatFailed(context.reported[0], place, words),
      retryUntil: context.retryUntil === undefined ? '' : formatZoned(context.retryUntil, context.node.timezone),
      returnedWhole: context.returned === 'message',
      returnedWholeText: words.say('answers', context.returned === 'message' ? 'yes' : 'no'),
    };
  return {
    ...common,
    errorDescription: safe(defang(words.phrase(context.errorDescription)), place),
    transcript: texts(context.transcript.map((line) => safe(defang(line), place)), words),
    omitted: context.omitted > 0 ? String(context.omitted) : '',
  };
}

/** Of the first address: a mail that names all lists `reported`. */
function whatFailed(first: ReportedRecipient | undefined, place: ViewPlace, words: Words): string {
  if (first === undefined) return '';
  return safe(defang([words.phrase(first.reason), first.reply].filter((part) => part !== '').join(' ')), place);
}

function reportedView(one: ReportedRecipient, place: ViewPlace, words: Words): object {
  const address = safe(defangMarked(one.address), place);
  const view = {
    address,
    reason: words.phrase(one.reason),
    advice: words.phrase(one.advice),
    status: one.status,
    server: safe(one.server, place),
    reply: safe(defang(one.reply), place),
  };
  return printed(view, `${address}: ${view.reply}`);
}
