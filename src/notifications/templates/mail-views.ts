import { defang, defangMarked } from '../safe-text.js';
import type { DsnContext, NoticeContext, ReportedRecipient } from '../types.js';
import { formatZoned } from '../zoned-time.js';
import { messageView, printed, safe, texts, type ViewPlace } from './views.js';

/** The values that templates of kind `dsn` and `notice` can show, made harmless for their place. */
export function mailView(context: DsnContext | NoticeContext, place: ViewPlace, mydomain: string): object {
  const common = {
    ...messageView(context, place, mydomain),
    reported: printed(context.reported.map((one) => reportedView(one, place))),
  };
  if (context.kind === 'dsn')
    return {
      ...common,
      retryUntil: context.retryUntil === undefined ? '' : formatZoned(context.retryUntil, context.node.timezone),
      returnedWhole: context.returned === 'message',
      returnedWholeText: context.returned === 'message' ? 'yes' : 'no',
    };
  return {
    ...common,
    errorDescription: safe(defang(context.errorDescription), place),
    transcript: texts(context.transcript.map((line) => safe(defang(line), place))),
    omitted: context.omitted > 0 ? String(context.omitted) : '',
  };
}

function reportedView(one: ReportedRecipient, place: ViewPlace): object {
  const address = safe(defangMarked(one.address), place);
  const view = {
    address,
    reason: one.reason,
    advice: one.advice,
    status: one.status,
    server: safe(one.server, place),
    reply: safe(defang(one.reply), place),
  };
  return printed(view, `${address}: ${view.reply}`);
}
