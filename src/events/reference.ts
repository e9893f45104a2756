import { formatDuration } from '../config/units.js';
import { EVENTS, type EventDefinition } from './registry.js';

/** Reference page of the application events, made from their registry: the two cannot drift apart. */
export function eventsPage(): string {
  const rows = Object.entries<EventDefinition>(EVENTS).map(
    ([name, { group, severity, raisedWhen, lapses }]) =>
      `| ${group} | \`${name}\` | ${severity} | ${raisedWhen}${lapses === undefined ? '' : `; over ${formatDuration(lapses)} after the last time`} |`,
  );
  return [
    '# Application events',
    '',
    'What they are and when they begin and end: [events](../events.md).',
    '',
    '<!-- Made from the registry by `npm run reference`. -->',
    '',
    '| group | event | severity | raised when |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
