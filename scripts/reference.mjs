// Writes the reference pages in docs/reference, and the tables of docs/rules.md, from the schemas. Run after "npm run build".
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { configurationPage } from '../dist/config/reference.js';
import { eventsPage } from '../dist/events/reference.js';
import { metricsPage } from '../dist/gateway/http/reference.js';
import { macrosPage } from '../dist/notifications/templates/macros-reference.js';
import { webhookSchemaText } from '../dist/notifications/webhooks/reference.js';
import { rulesPage } from '../dist/rules/reference/page.js';

const docs = path.join(import.meta.dirname, '..', 'docs');
const folder = path.join(docs, 'reference');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'configuration.md'), configurationPage());
writeFileSync(path.join(folder, 'events.md'), eventsPage());
writeFileSync(path.join(folder, 'metrics.md'), metricsPage());
writeFileSync(path.join(folder, 'macros.md'), macrosPage());
writeFileSync(path.join(folder, 'webhook.schema.json'), webhookSchemaText());
writeFileSync(path.join(docs, 'rules.md'), await rulesPage(docs));
