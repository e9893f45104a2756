import type { Template, Templates } from './templates/load.js';
import type { OwedNotification } from './types.js';

/**
 * The template of a notification. One that was taken away while the mail waited is replaced by the group's own, so that
 * what is owed is still told.
 */
export function templateOf(owed: OwedNotification, templates: Templates): Template | undefined {
  const found = templates.get(owed.template);
  return found === undefined && owed.kind === 'rule' ? templates.get(`rule-${owed.group}`) : found;
}
