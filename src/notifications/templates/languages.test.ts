import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { owedNotification } from '../../../test/notifications/support.js';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { formatPlace } from '../../config/problems.js';
import { adviceFor } from '../../delivery/dsn/advice.js';
import { EVENTS } from '../../events/registry.js';
import { withId } from '../compose.js';
import { contextOfKind } from './samples.js';
import { loadTemplates, type LoadedTemplates } from './load.js';
import { renderTemplate } from './render.js';
import { parseWords } from './words-file.js';
import { ENGLISH_WORDS } from './words.js';
import { ENGLISH } from './words-english.js';

const SHIPPED = path.join(PROGRAM_FOLDER, 'templates');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-languages-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function own(files: Readonly<Record<string, string>>, language: string): Promise<LoadedTemplates> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return await loadTemplates([folder, SHIPPED], language, folder);
}

describe('German', () => {
  it('has every template that English has, of the same kind and format, with the same macros', async () => {
    const { all, problems } = await loadTemplates([SHIPPED], 'de');
    expect(problems).toEqual([]);
    const of = (language: string): object =>
      Object.fromEntries(
        all
          .filter(({ template }) => template.language === language)
          .map(({ template: { name, kind, format, source } }) => [name, { kind, format, macros: macrosIn(source) }]),
      );
    expect(of('de')).toEqual(of('en'));
  });

  it('has a word for everything that code puts into a mail', async () => {
    const { templates } = await loadTemplates([SHIPPED], 'de');
    const words = templates.get('rule-general')?.words;
    for (const section of ['message', 'reports', 'mails', 'actions', 'severities', 'groups'] as const)
      for (const [key, english] of Object.entries(ENGLISH[section]))
        if (!['Gateway'].includes(words?.say(section, key) ?? '')) expect(words?.say(section, key)).not.toBe(english);
    for (const event of Object.keys(EVENTS)) {
      expect(words?.say('events', event)).not.toBe(event);
      expect(words?.say('events', event)).not.toBe(ENGLISH_WORDS.say('events', event));
    }
    for (const subject of ['1.1', '1.2', '1.3', '1.6', '1.10', '2.1', '2.2', '2.3', '3.4', '4.1', '4.2', '4.6', '4.7', '6.3', '6.7', '7.1', '1.9', '2.9', '3.9', '4.9', '6.9', '7.9', '0.0'])
      for (const group of ['4', '5']) {
        const { reason, advice } = adviceFor(`${group}.${subject}`);
        expect(words?.phrase(reason), reason).not.toBe(reason);
        if (advice !== '') expect(words?.phrase(advice), advice).not.toBe(advice);
      }
  });

  it('words the action, the status, the size, the lists and the ID', async () => {
    const { templates } = await loadTemplates([SHIPPED], 'de');
    const template = templates.get('rule-general');
    if (template === undefined) throw new Error('no template');
    const { context } = owedNotification();
    const many = Array.from({ length: 101 }, (_, i) => `u${i}@example.org`);
    const mail = renderTemplate(
      template,
      {
        ...context,
        subject: '',
        size: 1_234_567,
        allRecipients: many,
        outcomes: [
          { action: 'reject', recipients: ['bob@example.org'] },
          { action: 'deliver', recipients: ['carol@example.org'] },
        ],
      }, { mydomain: 'example.org' });
    expect(mail.subject).toBe(
      '[Gatepost] infiziert, abgelehnt für bob@example.org; zugestellt für carol@example.org: (kein Betreff)',
    );
    const text = withId(mail, context.messageId, 'body').text ?? '';
    expect(text).toContain('1,2 MB');
    expect(text).toContain('u99@example.org, und 1 weitere');
    expect(text.trimEnd().split('\n').at(-1)).toBe(`Nachrichten-ID: ${context.messageId}`);
    expect(text).not.toMatch(/\b(the|message was|and|more|said|found)\b/i);
  });

  it.each(['dsn-failure', 'dsn-delay', 'notice-delay', 'events-change', 'events-daily', 'notice-software'])('%s has no English in it', async (name) => {
    const { templates } = await loadTemplates([SHIPPED], 'de');
    const template = templates.get(name);
    if (template === undefined) throw new Error('no template');
    const { text = '', subject } = renderTemplate(template, contextOfKind(template), { mydomain: 'example.org' });
    expect(`${subject}\n${text.replace(/^(.*):.*\b5\d\d .*$/gm, '$1')}`).not.toMatch(/\b(the|and|is|of|not|this|said)\b/);
  });
});

describe('a language', () => {
  it('is added by a folder; what it lacks is in English, with English words', async () => {
    const { templates, languages, problems } = await own(
      {
        'fr/rule-sender.hbs': '---\nsubject: "{{action}}"\n---\n{{messageSize}} {{worstStatus}}',
        'fr/words.yaml': 'actions: { reject: rejeté }\nsizes: { kB: "{number} ko", decimal: "," }',
      },
      'fr',
    );
    expect(problems).toEqual([]);
    expect(languages).toEqual(['de', 'en', 'fr']);
    const context = { ...owedNotification().context, outcomes: [{ action: 'reject', recipients: [] }] };
    const sender = templates.get('rule-sender');
    const general = templates.get('rule-general');
    if (sender === undefined || general === undefined) throw new Error('no template');
    expect(renderTemplate(sender, context, { mydomain: '' })).toMatchObject({ subject: 'rejeté', text: '4,3 ko infected' });
    expect(general.language).toBe('en');
    expect(renderTemplate(general, context, { mydomain: '' }).subject).toBe('[Gatepost] infected, rejected: Your invoice');
  });

  it('has its words from the own folder before the shipped one, text by text', async () => {
    const { templates } = await own({ 'de/words.yaml': 'actions: { reject: zurückgewiesen }' }, 'de');
    const words = templates.get('rule-general')?.words;
    expect(words?.say('actions', 'reject')).toBe('zurückgewiesen');
    expect(words?.say('actions', 'deliver')).toBe('zugestellt');
  });

  it.each([
    ['actions: { rejct: x }', '1:12', 'warning', '`actions.rejct` is not used', 'did you mean `reject`?'],
    ['message:\n  id: "Nr. {ID}"', '2:7', 'warning', '{ID} in `message.id` is not filled in', 'known are {id}'],
    ['action: {}', '1:1', 'error', 'unknown key `action`', 'did you mean `actions`?'],
    ['answers:\n  yes: [1]', '2:8', 'error', '`answers.yes`: must be text, not a list', undefined],
  ])('%j is told of', (text, place, severity, message, hint) => {
    const [problem] = parseWords('templates/fr/words.yaml', text).problems;
    expect(problem?.place === undefined ? '' : formatPlace(problem.place)).toBe(`templates/fr/words.yaml:${place}`);
    expect(problem).toMatchObject({ severity, ...(hint === undefined ? {} : { hint }) });
    expect(problem?.message).toContain(message.split(':')[0]);
  });
});

function macrosIn(source: string): readonly string[] {
  return [...source.matchAll(/\{\{[^}]*\}\}/g)].map(([macro]) => macro).sort();
}
