import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { owedNotification } from '../../../test/notifications/support.js';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { formatPlace, type Problem } from '../../config/problems.js';
import { loadTemplates, parseTemplate } from './load.js';
import { renderTemplate } from './render.js';

const { context } = owedNotification();

function parse(body: string, head = 'subject: "S"'): ReturnType<typeof parseTemplate> {
  return parseTemplate('templates/en/x.hbs', 'x', 'en', `---\n${head}\n---\n${body}`);
}

function fill(body: string, head?: string): string {
  const { template, problems } = parse(body, head);
  if (template === undefined) throw new Error(JSON.stringify(problems));
  const { text, html } = renderTemplate(template, context, { mydomain: 'example.org' });
  return text ?? html ?? '';
}

function lines(problems: readonly Problem[]): string[] {
  return problems.map((p) => `${p.place === undefined ? '' : formatPlace(p.place)} ${p.severity} ${p.message}`);
}

describe('macros', () => {
  it.each([
    ['{{sender}} {{senderIp}}', 'alice@partner.example 192.0.2.7'],
    ['{{date}}', '2026-11-21 17:05:09 +01:00'],
    ['{{allRecipients}}', 'bob@example.org, carol@example.org'],
    ['{{#each allRecipients}}[{{this}}]{{/each}}', '[bob@example.org][carol@example.org]'],
    ['{{rules}} {{#each rules}}{{id}}{{/each}}', 'Inbound mail inbound'],
    ['{{#each objects}}{{name}} {{size}} {{status}} {{module}} {{threat}}{{/each}}', 'invoice.zip/setup.exe 68 B infected signatures Eicar-Test'],
    ['{{objects}}', 'invoice.zip/setup.exe: infected (Eicar-Test)'],
    ['{{#if quarantined}}kept{{/if}} {{quarantined}}', 'kept yes'],
    ['{{nodeName}} {{nodeIp}}:{{nodePort}} {{nodeComment}}', 'gw1 10.0.0.11:2525 rack 2'],
    ['{{productName}} {{mydomain}}', 'Gatepost example.org'],
    ['{{scanner}} {{infectedObject}} {{virusName}}', 'signatures invoice.zip/setup.exe Eicar-Test'],
    ['{{#each objects}}{{subject}} {{../action}} {{@root.sender}}{{/each}}', 'Your invoice rejected alice@partner.example'],
    ['{{#each objects as |o i|}}{{i}} {{o.name}}{{/each}}', '0 invoice.zip/setup.exe'],
    ['{{objects.length}} {{#if objects.length}}some{{/if}}', '1 some'],
    ['{{#unless objectsOmitted}}all{{/unless}}', 'all'],
  ])('%s', (body, expected) => {
    expect(parse(body).problems).toEqual([]);
    expect(fill(body)).toBe(expected);
  });

  it.each([
    ['%SENDER% %sender_ip% %MESSAGE_ACTION%', 'alice@partner.example 192.0.2.7 rejected'],
    ['%ComputerName% %ProgramName% %TimeStamp%', 'gw1 Gatepost 2026-11-21 17:05:09 +01:00'],
    ['%VirusName% in %InfectedObject% by %Scanner%', 'Eicar-Test in invoice.zip/setup.exe by signatures'],
    ['%AFFECTED_RULES% %mydomain%', 'Inbound mail example.org'],
    ['%DATA_BEGIN%%OBJECT_NAME% %OBJECT_SIZE% %STATUS% %SUBJECT%%DATA_END%', 'invoice.zip/setup.exe 68 B infected Your invoice'],
    ['%OBJECT_NAME% %OBJECT_SIZE% %STATUS%', 'Message 4.3 kB infected'],
    ['100% of %SENDER%, 5 %', '100% of alice@partner.example, 5 %'],
  ])('older: %s', (body, expected) => {
    expect(parse(body).problems).toEqual([]);
    expect(fill(body)).toBe(expected);
  });
});

describe('a template cannot take the program up', () => {
  const many = { ...context, subject: 'x'.repeat(500), objects: Array.from({ length: 50 }, () => context.objects[0]).filter((one) => one !== undefined) };
  const render = (body: string): string | undefined => {
    const { template, problems } = parse(body);
    expect(problems).toEqual([]);
    return template === undefined ? undefined : renderTemplate(template, many, { mydomain: 'example.org' }).text;
  };
  const nested = (depth: number, inner: string): string =>
    '{{#each @root.objects}}'.repeat(depth) + inner + '{{/each}}'.repeat(depth);

  it('loops in loops end with an error', () => {
    expect(() => render(nested(5, ''))).toThrow('rounds');
    expect(() => render(nested(5, '{{name}}'))).toThrow(/rounds|characters/);
  });

  it('so do loops in which much stands that prints nothing', () => {
    expect(() => render(nested(3, '{{#if objectsOmitted}}x{{/if}}'.repeat(300)))).toThrow('rounds');
  });

  it('so does what grows long, in a loop and without one', () => {
    expect(() => render(nested(1, 'x'.repeat(30_000)))).toThrow('characters');
    expect(() => render('{{subject}}'.repeat(3000))).toThrow('characters');
  });

  it('each filling has the whole bound', () => {
    for (let i = 0; i < 3; i += 1) expect(render(nested(2, '.'))).toHaveLength(2500);
  });

  it('there are no partials', () => {
    expect(parse('{{> x}}').problems.map(({ severity }) => severity)).toEqual(['error']);
  });
});

describe('prototypes and functions of the program', () => {
  const wanted = ['constructor', '__proto__', 'prototype', 'toString', 'valueOf', '__defineGetter__', '__lookupGetter__', 'hasOwnProperty', 'join'];
  const ways = (name: string): string[] => [
    ...[name, `this.${name}`, `./${name}`, `../${name}`, `@root.${name}`, `@${name}`, `[${name}]`, `"${name}"`, `{${name}}`],
    ...[`rules.${name}`, `rules.0.${name}`, `rules.[0].${name}.${name}`, `sender.${name}`, `allRecipients.${name}`],
    ...[`lookup . "${name}"`, `lookup this "${name}"`, `lookup rules "${name}"`, `lookup rules.0 "${name}"`, `lookup "x" "${name}"`],
    ...[`lookup @root "${name}"`, `lookup rules ${name}`, `lookup (lookup rules 0) "${name}"`, `lookup sender "${name}"`],
    ...[`#each ${name}`, `#each rules.${name}`, `#with ${name}`, `#with (lookup rules "${name}")`, `#if ${name}`, `#${name}`, `> ${name}`, `* ${name}`],
  ];
  const inside = (way: string): string => (way.startsWith('#') ? `{{${way}}}in{{this}}{{/${way.slice(1).split(' ')[0]}}}` : `{{${way}}}`);

  it.each(wanted)('%s is out of reach', (name) => {
    for (const way of ways(name))
      for (const body of [inside(way), `{{#each rules}}${inside(way)}{{/each}}`, `{{#with rules.0 as |r|}}${inside(way)}{{/with}}`]) {
        const { template, problems } = parse(body);
        // Either it is refused, or it stands there as it was written.
        if (template === undefined) expect(problems.some((p) => p.severity === 'error')).toBe(true);
        else expect(fill(body), body).toBe(inside(way));
      }
  });

  it('are not reached by what a message says either', () => {
    for (const subject of wanted)
      for (const body of ['{{lookup rules subject}}', '{{#each rules}}{{lookup this ../subject}}{{/each}}', '{{lookup allRecipients @root.subject}}'])
        expect({ body, subject, errors: parse(body).problems.map(({ severity }) => severity) }).toEqual({ body, subject, errors: ['error'] });
  });

  it('and lookup does what it is for', () => {
    const body = '{{lookup allRecipients 1}} {{lookup allRecipients "length"}} {{#each rules}}{{lookup this "id"}}{{lookup ../rules @index}}{{lookup this @key}}{{/each}}';
    expect(parse(body).problems).toEqual([]);
    expect(fill(body)).toBe('carol@example.org 2 inboundInbound mail');
  });

  it.each([
    ['{{lookup sender 0}}', '`sender` is not a list'],
    ['{{lookup rules "nmae"}}', '`"nmae"` names nothing in `rules`'],
    ['{{lookup rules}}', 'takes a list and a number'],
    ['{{lookup rules 0 1}}', 'takes a list and a number'],
  ])('%s is an error', (body, message) => {
    expect(lines(parse(body).problems).join()).toContain(message);
  });
});

describe('names that mean nothing', () => {
  it('stay as written, with a warning and a place', () => {
    const body = 'Hello {{nmae}}\n and %NO_SUCH% {{ constructor }} {{__proto__}} {{sender.length}} {{rules.toString}}';
    expect(fill(body)).toBe(body);
    expect(lines(parse(body).problems)).toEqual([
      'templates/en/x.hbs:5:6 warning %NO_SUCH% is not a macro: it stays in the text as written',
      'templates/en/x.hbs:4:7 warning {{nmae}} is not a macro: it stays in the text as written',
      'templates/en/x.hbs:5:16 warning {{ constructor }} is not a macro: it stays in the text as written',
      'templates/en/x.hbs:5:34 warning {{__proto__}} is not a macro: it stays in the text as written',
      'templates/en/x.hbs:5:48 warning {{sender.length}} is not a macro: it stays in the text as written',
      'templates/en/x.hbs:5:66 warning {{rules.toString}} is not a macro: it stays in the text as written',
    ]);
  });

  it.each([
    ['{{#if nope}}x{{/if}}', '4:7', '`nope` is not a macro'],
    ['%SENDER% %SENDER% {{#if nope}}x{{/if}}', '4:25', '`nope` is not a macro'],
    ['{{#each constructor}}x{{/each}}', '4:9', '`constructor` is not a macro'],
    ['{{#each sender}}x{{/each}}', '4:1', 'is not a list'],
    ['{{#foo}}x{{/foo}}', '4:1', 'there is no block `#foo`'],
    ['{{#objects}}x{{/objects}}', '4:1', 'there is no block `#objects`'],
    ['{{log sender}}', '4:1', 'there is no helper `log`'],
    ['{{sender "x"}}', '4:1', 'there is no helper `sender`'],
    ['{{> other}}', '4:1', 'partials'],
    ['{{#if sender}}x', '4:1', 'not closed'],
    ['a\n{{#if sender}}x{{/each}}', '5:', 'blocks do not fit'],
    ['{{errorDescription}}', '4:1', 'cannot be used in a template of kind `rule`'],
    ['%DATA_BEGIN% x', '4:1', 'not closed'],
  ])('%s is an error', (body, place, message) => {
    const { template, problems } = parse(body);
    const errors = problems.filter((p) => p.severity === 'error');
    expect(template).toBeUndefined();
    expect(lines(errors).join('\n')).toContain(message);
    expect(lines(errors)[0]).toContain(`templates/en/x.hbs:${place}`);
  });

  it('a macro of another kind is valid where the front matter says so', () => {
    expect(parse('{{errorDescription}}', 'subject: "S"\nkind: notice').problems).toEqual([]);
    expect(lines(parse('{{#each rules}}x{{/each}}', 'subject: "S"\nkind: event').problems)[0]).toContain('kind `event`');
  });

  it('suggests what was meant', () => {
    expect(parse('{{#if quarantned}}x{{/if}}').problems[0]?.hint).toBe('did you mean `quarantined`?');
  });
});

describe('front matter', () => {
  it.each([
    ['no front matter', 'Hello', 'has no front matter'],
    ['unknown key', '---\nsubject: a\nsubjekt: b\n---\nx', 'x.hbs:3:1'],
    ['no subject', '---\nformat: text\n---\nx', '`subject` is missing'],
    ['wrong format', '---\nsubject: a\nformat: htm\n---\nx', 'x.hbs:3:9'],
    ['braces without quotes', '---\nsubject: {{subject}}\n---\nx', 'x.hbs:2'],
    ['an error in the subject', '---\nsubject: "{{#if x}}"\n---\nx', 'x.hbs:2:11'],
    ['an unclosed macro in it', '---\nsubject: "a {{infectedObject}} {{subject"\nformat: text\n---\nx', 'x.hbs:2:13'],
  ])('%s', (_, source, expected) => {
    const { template, problems } = parseTemplate('templates/en/x.hbs', 'x', 'en', source);
    expect(template).toBeUndefined();
    expect(lines(problems).join('\n')).toContain(expected);
  });

  it('Windows line ends and a byte order mark are taken', () => {
    const { template } = parseTemplate('x.hbs', 'x', 'en', '\ufeff---\r\nsubject: a\r\n---\r\nb {{sender}}\r\n');
    expect(template?.format).toBe('text');
  });
});

describe('HTML', () => {
  it('escapes values, also in three braces, with a warning', () => {
    const evil = { ...context, subject: '<script>"x"</script>' };
    const { template, problems } = parse('{{{subject}}} {{&subject}}', 'subject: "S"\nformat: html');
    if (template === undefined) throw new Error('no template');
    expect(problems.map((p) => p.severity)).toEqual(['warning', 'warning']);
    const { html } = renderTemplate(template, evil, { mydomain: '' });
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;');
  });
});

describe('folders', () => {
  let own: string;
  const shipped = path.join(PROGRAM_FOLDER, 'templates');
  const head = '---\nsubject: "own"\n---\n';

  beforeEach(async () => {
    own = await mkdtemp(path.join(os.tmpdir(), 'gatepost-templates-'));
  });
  afterEach(async () => {
    await rm(own, { recursive: true, force: true });
  });

  it('the shipped ones have no problems and cover all groups', async () => {
    const { templates, problems } = await loadTemplates([shipped], 'en');
    expect(lines(problems)).toEqual([]);
    expect(templates.names).toEqual(
      expect.arrayContaining(['rule-additional', 'rule-general', 'rule-recipients', 'rule-sender']),
    );
  });

  it('own ones win, other languages fall back to English', async () => {
    await mkdir(path.join(own, 'en'));
    await mkdir(path.join(own, 'fr'));
    await writeFile(path.join(own, 'en', 'rule-general.hbs'), `${head}own`);
    await writeFile(path.join(own, 'fr', 'rule-sender.hbs'), `${head}le leur`);
    await writeFile(path.join(own, 'en', 'broken.hbs'), `${head}{{#if}`);
    const { templates, problems } = await loadTemplates([own, shipped], 'fr');
    expect(templates.get('rule-general')).toMatchObject({ language: 'en', format: 'text' });
    expect(templates.get('rule-sender')?.language).toBe('fr');
    expect(templates.get('rule-sender', 'en')?.format).toBe('both');
    expect(templates.get('rule-recipients')?.language).toBe('en');
    expect(templates.get('nothing')).toBeUndefined();
    expect(lines(problems)).toEqual([expect.stringMatching(/en\/broken\.hbs:4:1 error/)]);
  });

  it('a folder that is not there is no error', async () => {
    const { templates } = await loadTemplates([path.join(own, 'missing'), shipped], 'en');
    expect(templates.get('rule-general')).toBeDefined();
  });
});
