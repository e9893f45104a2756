/** What the schema cannot say of a key: what its texts stand for, and what it is about where the schema has no description. */
export interface Words {
  readonly value?: string;
  readonly text?: string;
}

export type TableWords = Readonly<Record<string, Words>>;

const MASKS = 'list of masks';
const ADDRESSES = 'list of addresses';
const TEMPLATE = 'name of a template';

/** By the name of the table. A key that stands here has to be one of the schema. */
export const WORDS = {
  rule: {
    id: { value: 'a-z, 0-9, -' },
    name: { text: 'name for people' },
    description: { text: 'for people' },
    enabled: { text: '`false` turns it off' },
    mode: { text: '`audit`: it decides nothing, and tells what it would have done' },
    process: { text: '`skip` delivers, `reject` refuses, `discard` throws away: all three without scanning' },
    reply: { text: 'of `process: reject`: what the sending server is told' },
    notify: { text: 'who is told besides, and with which texts' },
  },
  match: {
    sender: { value: MASKS, text: 'envelope sender; `"*"` also takes mail without a sender (bounces), `"<>"` only such mail' },
    recipient: { value: MASKS, text: 'envelope recipient' },
    client: { value: 'list of addresses and networks', text: 'the sending machine: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`' },
    when: { text: 'any other question, about fields that are known before the modules run' },
    authenticated: { text: '`true`: the session logged in; `false`: it did not' },
    senderIs: { text: '`either`: the address in the From field counts for `sender` as well' },
    time: {
      value: 'list of `{ days, hours }`',
      text: '`{ days: [mon-fri], hours: "08:00-18:00" }` in the time zone of the node; the end is exclusive',
    },
  },
  except: {
    sender: { value: MASKS, text: 'envelope sender' },
    recipient: { value: MASKS, text: 'envelope recipient' },
    client: { value: 'list of addresses and networks', text: 'the sending machine' },
    when: { text: 'any other question' },
  },
  scan: {
    antispam: {
      value: '`true`, `false`, or `{ spam, probableSpam, bulk }`',
      text: 'limits in points that hold in this rule instead of those in gatepost.yaml',
    },
  },
  notify: {
    additional: { value: ADDRESSES, text: "the rule's own list, told by responses with `notify: [additional]`" },
    templates: { value: 'a map from a group to a template' },
  },
  response: {
    name: { value: MASKS, text: 'only findings with such a name' },
    action: { text: 'what becomes of the mail' },
    headers: { value: '`{ set, add, remove }`', text: 'header fields of the copy that is delivered' },
    tag: { text: 'put before the subject, never twice' },
    warn: { value: TEMPLATE },
    disclaimer: { value: TEMPLATE },
    redirect: { value: ADDRESSES },
    copy: { value: ADDRESSES, text: 'blind copies of the original, whatever the action' },
    route: { value: '`smtp://host:port`, `smtps://`, `maildir:`' },
    reply: { value: '`{ code, enhanced, text }`', text: 'SMTP reply of `reject` and `defer`; what is left out is filled in' },
    notify: { value: 'list of groups, or a map', text: 'groups to tell, whatever the action' },
  },
  headers: {
    set: { value: 'a map from names to values', text: 'replaces all fields of the name' },
    add: { value: 'a map from names to values, or lists of them', text: 'puts a field on top, or several' },
    remove: { value: 'list of names', text: 'takes all fields of the name out' },
  },
  reply: {
    code: { text: 'three digits: 5xx of `reject`, 4xx of `defer`' },
    enhanced: { text: 'enhanced status code such as `5.7.1`' },
    text: { text: 'one line of ASCII text' },
  },
  told: {
    template: { value: TEMPLATE, text: 'instead of the usual text for the group' },
    attach: { text: 'what of the message is attached' },
  },
  expression: {
    id: { value: 'a-z, 0-9, -', text: 'unique in the rule; the key is `content.ID` in the trace, journal and counters' },
    when: { text: 'the question; it may also be about results of modules' },
  },
  texts: {
    contains: { text: 'one of these stands in it' },
    starts: { text: 'it begins with one of these' },
    ends: { text: 'it ends with one of these' },
    exists: { text: 'whether there is such a value at all' },
    in: { value: 'list of text' },
  },
  numbers: {
    is: { text: 'exactly this' },
    in: { value: 'list of numbers', text: 'one of these' },
    between: { value: '`[from, to]`' },
    exists: { text: 'whether there is such a value at all' },
  },
  case: {
    description: { text: 'for people' },
    envelope: { text: 'who sends it to whom, and from where (below)' },
    findings: { value: 'list of findings' },
    expect: { value: 'a map from recipients' },
    message: { value: 'path' },
  },
  envelope: {
    sender: { value: 'address', text: 'envelope sender; `"<>"` for mail without a sender' },
    recipients: { value: ADDRESSES, text: 'envelope recipients' },
    client: { value: 'IP address' },
    authenticated: { value: '`true`, `false`, or a name' },
    at: { value: 'time such as `2026-11-21T17:05`' },
  },
  finding: {
    size: { value: 'size', text: 'of the object' },
    detail: { text: 'for people' },
  },
  expect: {
    action: { text: 'what becomes of the mail' },
    tag: { text: 'the same as `tags`' },
    notify: { value: 'list of groups, or a map from groups to `{ template, to }`' },
    headers: { value: '`{ set, add, remove }`', text: 'changes of header fields; those that are named are compared' },
    warn: { value: 'list of templates', text: 'warnings' },
    disclaimer: { value: 'list of templates', text: 'disclaimers' },
    reply: { value: 'a code, or `{ code, enhanced, text }`' },
    redirect: { value: ADDRESSES, text: 'recipients instead' },
    copy: { value: ADDRESSES, text: 'blind copies' },
    route: { text: 'next hop; `""` for the usual one' },
    audit: { value: 'list of rules, or a map from rules to `{ action, quarantine, tags, notify }`' },
  },
} satisfies Readonly<Record<string, TableWords>>;

export type TableName = keyof typeof WORDS;

/** When the keys under `on` fire. */
export const FINDING_WORDS: Readonly<Record<string, string>> = {
  malware: 'an object is infected',
  encrypted: 'an archive or document cannot be opened without a password',
  macro: 'a document carries a macro',
  phishing: 'a link, or the whole mail, is a trap by its looks',
  'malicious-link': 'a link is on a list of bad addresses',
  spam: 'score at or over `spam`',
  'probable-spam': 'score at or over `probableSpam`',
  bulk: 'mass mail with a score at or over `bulk`; at most one of the three',
  anomaly: 'the message is not built as it pretends ([anomalies](anomalies.md))',
  'scan-error': 'a module failed, ran out of time, or gave up at a bound; without it the `onError` of the module decides',
};
