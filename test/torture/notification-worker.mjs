// A worker that sends what is queued, until it is killed. usage: notification-worker.mjs DATA QUEUE-URL SERVER-URL
import path from 'node:path';
import { parseConfig, PROGRAM_FOLDER } from '../../dist/config/load.js';
import { openHop } from '../../dist/delivery/hop.js';
import { openNotifications } from '../../dist/notifications/service.js';
import { loadTemplates } from '../../dist/notifications/templates/load.js';
import { openQueue } from '../../dist/queue/open.js';
import { openStoreForCommand } from '../../dist/store/open.js';
import { silentLog } from '../../dist/telemetry/log.js';

const [data, queueUrl, server] = process.argv.slice(2);
const log = silentLog();
const { config } = await parseConfig(
  `data: ${data}\nqueue: ${queueUrl}\nnotifications: { rate: off, retry: { delays: [1s], lifetime: 1d } }\n`,
  data,
);
const store = await openStoreForCommand(config, log);
const queue = await openQueue(config, store, log);
const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
await openNotifications({
  ...{ config, queue, templates, log, role: 'worker' },
  transport: openHop(server, { hostname: 'worker.example.org' }),
  ledger: store.ledger,
  sending: store.sending,
});
process.send?.('ready');
