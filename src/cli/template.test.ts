import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readConfig } from '../config/load.js';
import { readSetup } from '../gateway/setup.js';
import { listTemplates, previewTemplate, showTemplate } from './template.js';

const OWN = '---\nsubject: "Own %SUBJECT%"\n---\n%VirusName% {{#each objects}}{{name}}{{/each}} {{action}}\n';
const EICAR = 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=';
let folder: string;
let config: string;
let written: string;
let noted: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-template-'));
  config = path.join(folder, 'gatepost.yaml');
  await mkdir(path.join(folder, 'templates', 'en'), { recursive: true });
  await writeFile(path.join(folder, 'templates', 'en', 'rule-general.hbs'), OWN);
  await writeFile(
    config,
    'domains: [example.org]\ntemplates: templates\nnotifications: { language: en, messageId: off }\n',
  );
  written = '';
  noted = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    noted += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

it('lists own ones in the place of the shipped ones', async () => {
  await listTemplates({ config, json: true });
  const list: unknown = JSON.parse(written);
  expect(list).toContainEqual(
    expect.objectContaining({
      name: 'rule-general',
      language: 'en',
      kind: 'rule',
      format: 'text',
      origin: 'own',
      subject: 'Own %SUBJECT%',
    }),
  );
  expect(list).toContainEqual(expect.objectContaining({ name: 'rule-general', language: 'de', origin: 'shipped' }));
  expect(list).toContainEqual(expect.objectContaining({ name: 'disclaimer', kind: 'banner', subject: null }));
});

it('shows one as it was written', async () => {
  await showTemplate('rule-general', { config });
  expect(written).toBe(OWN);
});

it('previews with sample data, in a language', async () => {
  await previewTemplate('rule-sender', { config, language: 'de', json: true });
  expect(JSON.parse(written)).toMatchObject({
    name: 'rule-sender',
    language: 'de',
    subject: 'Ihre Nachricht wurde abgelehnt: Invoice 2026-1187 for November',
    text: expect.stringContaining('infiziert') as string,
    html: expect.stringContaining('<html lang="de">') as string,
  });
});

it('previews with what the rules find in a message', async () => {
  const eml = path.join(folder, 'm.eml');
  const head = 'From: eve@partner.example\r\nTo: bob@example.org\r\nSubject: see http://evil.example\r\n';
  const part = `Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=e.com\r\nContent-Transfer-Encoding: base64\r\n\r\n${EICAR}`;
  await writeFile(eml, `${head}MIME-Version: 1.0\r\n${part}\r\n`);
  await previewTemplate('rule-general', { config, message: eml });
  expect(written).toBe('Subject: Own see hxxp://evil[.]example\n\nEICAR-Test-File e.com rejected\n');
});

it.each([
  ['rule-genral', {}, 'did you mean `rule-general`?'],
  ['rule-general', { language: 'dee' }, 'did you mean "de"?'],
  ['events-daily', { message: 'x.eml' }, 'is not about one message'],
  ['rule-general', { message: 'nowhere.eml' }, 'there is no such file'],
  ['rule-general', { html: true }, 'has no HTML'],
  ['rule-general', { id: 'x' }, 'is not a unique ID'],
] as const)('%s with %j is wrong use', async (name, options, message) => {
  await expect(previewTemplate(name, { config, ...options })).rejects.toThrow(message);
});

it('opens a page in the browser, without a shell', async () => {
  const opener = path.join(folder, 'xdg-open');
  await writeFile(opener, `#!/bin/sh\ncp "$1" "${folder}/opened"\n`);
  await chmod(opener, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  await previewTemplate('dsn-delay', { config, open: true });
  expect(written).toMatch(/^Opened .*dsn-delay\.html\n$/);
  expect(await readFile(path.join(folder, 'opened'), 'utf8')).toContain('Your message has not been delivered yet');
  await rm(path.dirname(written.trim().slice('Opened '.length)), { recursive: true });
});

it('says where the page is when there is no browser', async () => {
  vi.stubEnv('PATH', folder);
  await previewTemplate('rule-sender', { config, open: true });
  const file = /^No browser could be started\. The preview is in (.*)\n$/.exec(written)?.[1] ?? '';
  expect(await readFile(file, 'utf8')).toContain('<!doctype html>');
  await rm(path.dirname(file), { recursive: true });
});

it('says what is taken in place of a language that is missing', async () => {
  await writeFile(config, 'domains: [example.org]\nnotifications:\n  language: fr\n');
  await showTemplate('disclaimer', { config });
  expect(noted).toContain('`disclaimer` is not there in "fr": this is "en"');
  const read = await readConfig(config);
  if (read.config === undefined) throw new Error('no configuration');
  const { problems } = await readSetup('trial', read.config);
  expect(problems).toContainEqual(
    expect.objectContaining({
      severity: 'warning',
      message: 'there are no templates in the language "fr": en is used',
      place: expect.objectContaining({ line: 3, column: 13 }) as object,
    }),
  );
});
