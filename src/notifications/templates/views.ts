import { defang, defangMarked, isolated, oneLine, headerSafe } from '../safe-text.js';
import type { MessageContext, NotifiedNode, NotifiedObject, RuleNotificationContext } from '../types.js';
import { formatZoned } from '../zoned-time.js';
import { outcomeText } from './outcome-words.js';
import { ENGLISH_WORDS, type Words } from './words.js';

/** Where the values of a view are put: what is harmless in one place is not in another. */
export type ViewPlace = 'header' | 'body';

export const PRODUCT = 'Gatepost';
/** In code points. A reader recognizes the message long before. */
const BOUNDS: Readonly<Record<ViewPlace, number>> = { header: 120, body: 500 };
/** A message can have thousands of recipients. */
const MAX_LISTED = 100;

/** From worst to mildest; a status that is not named stands behind them. */
const STATUS_ORDER = ['infected', 'phishing', 'malicious-link', 'macro', 'encrypted', 'spam', 'probable-spam', 'bulk'];

/** The values that a template of kind `rule` can show, made harmless for their place. HTML is escaped by Handlebars. */
export function ruleView(
  context: RuleNotificationContext,
  place: ViewPlace,
  mydomain: string,
  words: Words = ENGLISH_WORDS,
): object {
  const value = (text: string): string => safe(defangMarked(text), place);
  const shown = (text: string): string => safe(defang(text), place);
  const objects = context.objects.map((object) => objectView(object, value, shown, words));
  const threat = context.objects.find((object) => object.threat !== '') ?? context.objects[0];
  return {
    ...messageView(context, place, mydomain, words),
    rules: printed(
      context.rules.map((rule) => {
        const name = value(rule.name === '' ? rule.id : rule.name);
        return printed({ id: rule.id, name }, name);
      }),
    ),
    action: value(context.outcomes === undefined ? context.action : outcomeText(context.outcomes, words)),
    quarantined: context.quarantined,
    quarantinedText: words.say('answers', context.quarantined ? 'yes' : 'no'),
    objects: printed(objects),
    objectsOmitted: context.objectsOmitted ?? '',
    objectName: words.say('message', 'whole'),
    objectSize: words.size(context.size),
    worstStatus: shown(statusText(worstStatus(context.objects), words)),
    scanner: threat?.module ?? '',
    infectedObject: threat === undefined ? '' : value(nameOf(threat, words)),
    virusName: shown(threat?.threat ?? ''),
  };
}

/** What can be shown of the message itself. */
export function messageView(context: MessageContext, place: ViewPlace, mydomain: string, words: Words): object {
  const value = (text: string): string => safe(defangMarked(text), place);
  return {
    productName: PRODUCT,
    mydomain,
    ...nodeView(context.node),
    date: formatZoned(context.date, context.node.timezone),
    messageId: context.messageId,
    smtpMessageId: value(context.smtpMessageId),
    sender: context.sender === '' ? '<>' : value(context.sender),
    senderIp: value(context.senderIp),
    allRecipients: texts(context.allRecipients.map(value), words),
    affectedRecipients: texts(context.affectedRecipients.map(value), words),
    subject: context.subject.trim() === '' ? words.say('message', 'noSubject') : safe(defang(context.subject), place),
    messageSize: words.size(context.size),
  };
}

export function nodeView(node: NotifiedNode): object {
  return { nodeName: node.name, nodeIp: node.address, nodePort: String(node.port), nodeComment: node.comment };
}

function objectView(
  object: NotifiedObject,
  value: (text: string) => string,
  shown: (text: string) => string,
  words: Words,
): object {
  const name = value(nameOf(object, words));
  const status = shown(statusText(object.status, words));
  const threat = shown(object.threat);
  return printed(
    { name, size: object.size > 0 ? words.size(object.size) : '', status, module: object.module, threat },
    threat === '' ? `${name}: ${status}` : `${name}: ${status} (${threat})`,
  );
}

function nameOf(object: NotifiedObject, words: Words): string {
  return object.name === '' ? words.say('message', 'whole') : object.name;
}

function statusText(status: string, words: Words): string {
  return words.say('statuses', status);
}

function worstStatus(objects: readonly NotifiedObject[]): string {
  const rank = (status: string): number => {
    const at = STATUS_ORDER.indexOf(status);
    return at < 0 ? STATUS_ORDER.length : at;
  };
  const [worst] = [...objects].sort((a, b) => rank(a.status) - rank(b.status));
  return worst?.status ?? '';
}

/** A value from outside, made harmless for its place. */
export function safe(text: string, place: ViewPlace): string {
  return place === 'header' ? headerSafe(oneLine(text, BOUNDS.header)) : isolated(oneLine(text, BOUNDS.body));
}

/** A list of values, cut where it is long. */
export function texts(values: readonly string[], words: Words): readonly string[] {
  const rest = values.length - MAX_LISTED;
  return printed(rest > 0 ? [...values.slice(0, MAX_LISTED), words.say('message', 'more', { count: String(rest) })] : [...values]);
}

/** The value with a text for where it is printed as a whole: a list reads `a, b`. */
export function printed<T extends object>(value: T, text?: string): T {
  return Object.defineProperty(value, 'toString', {
    value: () => text ?? (Array.isArray(value) ? value.map(String).join(', ') : ''),
  });
}
