import path from 'node:path';
import { loadConfig } from '../config/load.js';
import { formatDuration, formatSize } from '../config/units.js';
import { listSpool } from '../delivery/spool-list.js';
import { json, out, table } from './terminal.js';

const SHOWN = 100;

/** `gatepost queue list`: reads the spool's files, so it works whether a gateway runs or not. */
export async function listQueue(options: {
  readonly config?: string;
  readonly json?: boolean;
  readonly all?: boolean;
}): Promise<void> {
  const { config } = await loadConfig(options.config);
  const items = await listSpool(path.join(config.data, 'spool'));
  if (options.json === true) {
    json(items);
    return;
  }
  if (items.length === 0) {
    out('Nothing waits in the spool of this node.');
    return;
  }
  const shown = options.all === true ? items : items.slice(0, SHOWN);
  const now = Date.now();
  out(
    table(shown, [
      { title: 'id', value: (i) => i.id },
      { title: 'age', value: (i) => formatDuration(now - Date.parse(i.time)), right: true },
      { title: 'size', value: (i) => formatSize(i.size), right: true },
      { title: 'sender', value: (i) => i.sender || '<>', max: 40 },
      {
        title: 'waiting',
        value: (i) =>
          i.recipients
            .filter((r) => r.state === 'waiting')
            .map((r) => r.address)
            .join(', '),
        max: 40,
      },
      {
        title: 'next',
        value: (i) => nextAttempt(i.recipients.find((r) => r.nextAttempt !== null)?.nextAttempt ?? null, now),
      },
      { title: 'hop', value: (i) => i.hop },
      { title: 'last reply', value: (i) => i.recipients.find((r) => r.lastReply !== null)?.lastReply ?? '', max: 80 },
    ]),
  );
  const total = items.reduce((sum, i) => sum + i.size, 0);
  out(
    `\n${items.length} in all, ${formatSize(total)}${shown.length < items.length ? `; the oldest ${SHOWN} are shown, --all shows all` : ''}`,
  );
}

function nextAttempt(time: string | null, now: number): string {
  if (time === null) return '-';
  const ms = Date.parse(time) - now;
  return ms <= 0 ? 'now' : `in ${formatDuration(ms)}`;
}
