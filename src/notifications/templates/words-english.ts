import type { WordTable } from './words.js';

/** What code puts into mails, in English. A language brings its own in `words.yaml`. Statuses and events are named as they are. */
export const ENGLISH = {
  message: {
    id: 'Message ID: {id}',
    noSubject: '(no subject)',
    whole: 'Message',
    more: 'and {count} more',
    collected: '[{product}] {count} notifications',
  },
  reports: {
    failureSubject: 'Not delivered',
    failure: 'Your message could not be delivered to:',
    delaySubject: 'Delayed',
    delay: 'Your message still waits, and is tried again, for:',
    successSubject: 'Delivered',
    success: 'Your message has been handed over for:',
    gateway: 'This is the mail gateway {node}.',
  },
  mails: {
    'rule-general': 'triggered rule (general list)',
    'rule-sender': 'triggered rule (sender)',
    'rule-recipients': 'triggered rule (recipient)',
    'rule-additional': 'triggered rule (list of the rule)',
    'notice-bounce': 'undeliverable mail',
    'notice-double-bounce': 'undeliverable mail without a sender',
    'notice-delay': 'delayed mail',
    'notice-policy': 'refusal by policy',
    'notice-protocol': 'protocol error',
    'notice-resource': 'want of disk or memory',
    'notice-software': 'internal failure',
  },
  answers: { yes: 'yes', no: 'no' },
  sizes: { decimal: '.', B: '{number} B', kB: '{number} kB', MB: '{number} MB', GB: '{number} GB' },
  actions: {
    deliver: 'delivered',
    'delete-attachment': 'delivered without the attachment',
    defer: 'deferred',
    reject: 'rejected',
    discard: 'discarded',
    for: '{action} for {recipients}',
  },
  severities: {
    critical: 'critical',
    error: 'error',
    warning: 'warning',
    informative: 'informative',
    diagnostic: 'diagnostic',
  },
  groups: {
    protection: 'protection',
    gateway: 'gateway',
    synchronization: 'synchronization',
    directory: 'directory',
    other: 'other',
  },
} as const satisfies WordTable;
