// Writes the reference pages in docs/reference from the schemas. Run after "npm run build".
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { configurationPage } from '../dist/config/reference.js';
import { eventsPage } from '../dist/events/reference.js';

const folder = path.join(import.meta.dirname, '..', 'docs', 'reference');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'configuration.md'), configurationPage());
writeFileSync(path.join(folder, 'events.md'), eventsPage());
