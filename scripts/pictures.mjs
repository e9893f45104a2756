// Draws the shipped mails, as a mail client on a desktop and on a phone shows them, into docs/pictures.
// Needs Chromium (CHROMIUM names it when it is not "chromium"). Run after "npm run build"; not part of the tests.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withId } from '../dist/notifications/compose.js';
import { loadTemplates } from '../dist/notifications/templates/load.js';
import { renderTemplate } from '../dist/notifications/templates/render.js';
import { contextOfKind } from '../dist/notifications/templates/samples.js';

const root = path.join(import.meta.dirname, '..');
const target = path.resolve(process.argv[2] ?? path.join(root, 'docs', 'pictures'));
const chromium = process.env['CHROMIUM'] ?? 'chromium';
const { templates } = await loadTemplates([path.join(root, 'templates')], 'en');

/** Width and height of each picture's frames, in CSS pixels. */
const PHONE = 360;
const DESKTOP = 720;
const PICTURES = {
  'rule-general': {
    height: 1020,
    shows: [
      ['rule-general', 'en', DESKTOP],
      ['rule-general', 'en', PHONE],
    ],
  },
  'rule-sender-de': {
    height: 1240,
    shows: [
      ['rule-sender', 'de', DESKTOP],
      ['rule-sender', 'de', PHONE],
    ],
  },
  'events-change': {
    height: 1000,
    shows: [
      ['events-change', 'en', DESKTOP],
      ['events-change', 'en', PHONE],
    ],
  },
  dark: {
    height: 1130,
    dark: true,
    shows: [
      ['rule-recipients', 'en', PHONE],
      ['events-daily', 'de', PHONE],
    ],
  },
};

const folder = mkdtempSync(path.join(os.tmpdir(), 'gatepost-pictures-'));
try {
  mkdirSync(target, { recursive: true });
  for (const [name, picture] of Object.entries(PICTURES)) draw(name, picture);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function draw(name, { shows, height, dark = false }) {
  const frames = shows.map(([template, language, width]) => frame(template, language, width, height));
  const page = path.join(folder, `${name}.html`);
  const background = dark ? '#000' : '#c9d1d9';
  const body = `display:flex;gap:16px;margin:16px;background:${background}`;
  writeFileSync(page, `<!doctype html><meta charset="utf-8"><body style="${body}">${frames.join('')}</body>`);
  const width = 16 + shows.reduce((sum, [, , each]) => sum + each + 16, 0);
  const file = path.join(target, `${name}.png`);
  const { status, error, stderr } = spawnSync(
    chromium,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--user-data-dir=${path.join(folder, 'profile')}`,
      `--window-size=${width},${height + 32}`,
      `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`,
      `--screenshot=${file}`,
      `file://${page}`,
    ],
    { encoding: 'utf8' },
  );
  if (error !== undefined || status !== 0)
    throw new Error(`${chromium} failed: ${error?.message ?? stderr.split('\n').slice(-3).join(' ')}`);
  process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
}

function frame(name, language, width, height) {
  const template = templates.get(name, language);
  if (template === undefined) throw new Error(`there is no template ${name}`);
  const context = contextOfKind(template);
  const rendered = renderTemplate(template, context, { mydomain: 'example.org', messageId: 'body' });
  const { html } = 'messageId' in context ? withId(rendered, context.messageId, 'body') : rendered;
  const source = html.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  return `<iframe style="border:0;border-radius:6px;flex:none" width="${width}" height="${height}" srcdoc="${source}"></iframe>`;
}
