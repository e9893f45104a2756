import type { WordTable } from './words.js';

/** What code puts into mails, in English. A language brings its own in `words.yaml`. Statuses and events are named as they are. */
export const ENGLISH = {
  message: { id: 'Message ID: {id}', noSubject: '(no subject)', whole: 'Message', more: 'and {count} more' },
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
