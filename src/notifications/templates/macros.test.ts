import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import { parseTemplate } from './load.js';
import { MACRO_MEANINGS } from './macro-meanings.js';
import { MACROS } from './macros.js';
import { macrosPage } from './macros-reference.js';
import { renderTemplate } from './render.js';
import { contextOfKind } from './samples.js';

const KINDS = ['rule', 'notice', 'event'] as const;
type Kind = (typeof KINDS)[number];
const NAMES: Readonly<Record<Kind, string>> = { rule: 'rule-general', notice: 'notice-policy', event: 'events-change' };
const ALL = KINDS;
const MAIL: readonly Kind[] = ['rule', 'notice'];
const RULE: readonly Kind[] = ['rule'];

/** Every cell of the specification: spellings, kinds, and what the samples show. */
const TABLE: readonly (readonly [spellings: readonly string[], kinds: readonly Kind[], shown: RegExp])[] = [
  [['{{nodeName}}', '%ComputerName%', '%COMPUTERNAME%'], ALL, /^gw1$/],
  [['{{nodeIp}}', '%NODE_IP%'], ALL, /^192\.0\.2\.10$/],
  [['{{nodePort}}', '%NODE_PORT%'], ALL, /^25$/],
  [['{{nodeComment}}'], ALL, /^data centre 1$/],
  [['{{productName}}', '%PRODUCT_NAME%', '%ProgramName%'], ALL, /^Gatepost$/],
  [['{{messageId}}', '%MESSAGE_ID%'], MAIL, /^[0-9A-Z]{26}$/],
  [['{{smtpMessageId}}', '%SMTP_MESSAGE_ID%'], MAIL, /^20261121160501\.4711@/],
  [['{{date}}', '%DATE%', '%TimeStamp%'], ALL, /^2026-11-21 17:05:09 \+01:00$/],
  [['{{sender}}', '%SENDER%'], MAIL, /^alice@partner\.example$/],
  [['{{senderIp}}', '%SENDER_IP%'], MAIL, /^203\.0\.113\.7$/],
  [['{{allRecipients}}', '%ALL_RECIPIENTS%'], MAIL, /^bob@example\.org, carol@example\.org$/],
  [['{{affectedRecipients}}', '%AFFECTED_RECIPIENTS%'], MAIL, /^bob@example\.org, carol@example\.org$/],
  [['{{subject}}', '%SUBJECT%'], MAIL, /^Invoice 2026-1187/],
  [['{{rules}}', '%AFFECTED_RULES%', '{{#each rules}}{{name}}{{/each}}'], RULE, /^Inbound mail$/],
  [['{{#each rules}}{{id}}{{/each}}'], RULE, /^inbound$/],
  [['{{action}}', '%MESSAGE_ACTION%'], RULE, /^rejected$/],
  [['{{quarantined}}'], RULE, /^yes$/],
  [
    ['{{#each objects}}{{name}} {{size}} {{status}};{{/each}}', '%DATA_BEGIN%%OBJECT_NAME% %OBJECT_SIZE% %STATUS%;%DATA_END%'],
    RULE,
    /^invoice\.zip\/setup\.exe 97 kB infected;hxxps:\/\/login\[\.\]partner-invoices\[\.\]example\/pay\?id=4711 {2}phishing;$/,
  ],
  [['{{#each objects}}{{module}} {{threat}};{{/each}}'], RULE, /^antivirus Win\.Test\.EICAR_HDB-1;links ;$/],
  [['{{objectName}}', '%OBJECT_NAME%'], RULE, /^Message$/],
  [['{{objectSize}}', '%OBJECT_SIZE%'], RULE, /^184 kB$/],
  [['{{worstStatus}}', '%STATUS%'], RULE, /^infected$/],
  [['{{scanner}}', '%Scanner%'], RULE, /^antivirus$/],
  [['{{infectedObject}}', '%InfectedObject%'], RULE, /^invoice\.zip\/setup\.exe$/],
  [['{{virusName}}', '%VirusName%'], RULE, /^Win\.Test\.EICAR_HDB-1$/],
  [['{{errorDescription}}', '%ErrorDescription%'], ['notice', 'event'], /^(RCPT was answered: 550|it does not take mail)/],
  [['{{event}}'], ['event'], /^next-hop-unavailable$/],
  [['{{severity}}'], ['event'], /^critical$/],
  [['{{group}}'], ['event'], /^gateway$/],
  [['{{conditions}}'], ['event'], /next-hop-unavailable \(smtp:\/\/mail\.example\.org:25\)/],
  [['{{resolved}}'], ['event'], /^disk-low$/],
  [['{{mydomain}}', '%mydomain%'], ALL, /^example\.org$/],
];

const CELLS = TABLE.flatMap(([spellings, kinds, shown]) =>
  spellings.flatMap((spelling) => KINDS.map((kind) => ({ spelling, kind, valid: kinds.includes(kind), shown }))),
);

function parse(kind: Kind, subject: string, body: string): ReturnType<typeof parseTemplate> {
  const head = `subject: ${JSON.stringify(subject)}\nkind: ${kind}`;
  return parseTemplate('templates/en/own.hbs', NAMES[kind], 'en', `---\n${head}\n---\n${body}`);
}

describe('every macro of the specification, in every spelling and kind', () => {
  it.each(CELLS.filter(({ valid }) => valid))('$spelling in $kind', ({ spelling, kind, shown }) => {
    const { template, problems } = parse(kind, spelling, spelling);
    expect(problems).toEqual([]);
    if (template === undefined) throw new Error('no template');
    const { subject, text } = renderTemplate(template, contextOfKind(template), { mydomain: 'example.org' });
    expect(text).toMatch(shown);
    expect(subject).toBe(text?.trim());
  });

  it.each(CELLS.filter(({ valid }) => !valid))('$spelling in $kind is an error', ({ spelling, kind }) => {
    for (const { problems } of [parse(kind, 'S', `x\n  ${spelling}`), parse(kind, spelling, 'x')])
      expect(problems).toContainEqual(
        expect.objectContaining({ severity: 'error', message: expect.stringContaining(`kind \`${kind}\``) as string }),
      );
    expect(parse(kind, 'S', `x\n  ${spelling}`).problems[0]?.place).toMatchObject({
      file: 'templates/en/own.hbs',
      line: 6,
      // Of a block, the name in it is pointed at.
      column: spelling.startsWith('{{#') ? 11 : 3,
    });
  });
});

describe('texts of the second product', () => {
  it('a message about a threat', () => {
    const line = '%TimeStamp% - %ProgramName%: Module %Scanner% - Threat Alert triggered on computer %ComputerName%: %InfectedObject% contains %VirusName%.';
    const { template, problems } = parse('rule', '%ProgramName% on %ComputerName%', line);
    expect(problems).toEqual([]);
    if (template === undefined) throw new Error('no template');
    expect(renderTemplate(template, contextOfKind(template), { mydomain: 'example.org' })).toMatchObject({
      subject: 'Gatepost on gw1',
      text: '2026-11-21 17:05:09 +01:00 - Gatepost: Module antivirus - Threat Alert triggered on computer gw1: invoice.zip/setup.exe contains Win.Test.EICAR_HDB-1.',
    });
  });

  it('a message about an event', () => {
    const { template, problems } = parse('event', '%ProgramName%', '%TimeStamp% - %ProgramName%: %ErrorDescription% on %ComputerName%');
    expect(problems).toEqual([]);
    if (template === undefined) throw new Error('no template');
    expect(renderTemplate(template, contextOfKind(template), { mydomain: 'example.org' }).text).toMatch(
      /^2026-11-21 17:05:09 \+01:00 - Gatepost: it does not take mail: .* on gw1$/,
    );
  });

  it.each([
    ['event', '%VirusName%'],
    ['notice', '%Scanner%'],
    ['rule', '%ErrorDescription%'],
  ] as const)('in %s, %s is an error', (kind, keyword) => {
    expect(parse(kind, 'S', `%TimeStamp% - %ProgramName%: ${keyword}`).problems).toMatchObject([
      { severity: 'error', place: { line: 5, column: 30 } },
    ]);
  });

  it('a keyword that is not known stays, with a warning at its place and a suggestion', () => {
    const { template, problems } = parse('rule', 'S', 'a\n %VirusNane% {{vrusName}} %UserName%');
    expect(problems).toMatchObject([
      { severity: 'warning', place: { line: 6, column: 2 }, hint: 'did you mean `%VIRUSNAME%`?' },
      { severity: 'warning', place: { line: 6, column: 27 } },
      { severity: 'warning', place: { line: 6, column: 14 }, hint: 'did you mean `virusName`?' },
    ]);
    if (template === undefined) throw new Error('no template');
    expect(renderTemplate(template, contextOfKind(template), { mydomain: '' }).text).toBe('a\n %VirusNane% {{vrusName}} %UserName%');
  });
});

describe('the reference', () => {
  it('says what each macro means, and no more', () => {
    expect(Object.keys(MACRO_MEANINGS).sort()).toEqual([...MACROS.keys()].sort());
  });

  it('is as it is made', () => {
    const file = path.join(PROGRAM_FOLDER, 'docs', 'reference', 'macros.md');
    expect(readFileSync(file, 'utf8')).toBe(macrosPage());
  });
});
