import { formatSize } from '../config/units.js';
import type { RecipientReport } from '../gateway/trial/report.js';
import type { AuditOutcome, HeaderChanges } from '../rules/types.js';
import type { Explanation } from './explain.js';
import { out, paint, printable, table } from './terminal.js';

const LABEL = 11;

/** What `explain` says, for people. */
export function printExplanation({ inspection, recipients, input, rendered }: Explanation): void {
  const { facts, audit } = inspection;
  const { sender, client, user } = input.envelope;
  line('Message', `${facts.subject === '' ? '(no subject)' : facts.subject}, ${formatSize(facts.size)}`);
  line(
    'From',
    `${sender === '' ? '<> (no sender)' : sender} at ${client}${user === undefined ? '' : `, logged in as ${user}`}`,
  );
  printFindings(inspection.findings);
  for (const [recipient, report] of Object.entries(recipients)) {
    out(`\n${paint(['bold', 'underline'], printable(recipient))}`);
    for (const [label, value] of aboutRecipient(report)) line(label, value);
    for (const one of audit) if (one.recipient === recipient) line('audit', auditText(one));
    out();
    out(
      table(report.considered, [
        { title: 'rule', value: ({ rule }) => rule },
        { title: 'matched', value: ({ matched }) => (matched ? 'yes' : 'no') },
        { title: 'why', value: ({ why }) => why, max: 120 },
      ]),
    );
  }
  for (const mail of rendered)
    out(
      `\n${paint('bold', `Notification to ${printable(mail.to)}: ${printable(mail.subject)}`)}\n${indent(textLines(mail.text))}`,
    );
}

function printFindings(all: Explanation['inspection']['findings']): void {
  const findings = all.filter(({ status }) => status !== 'clean');
  const clean = [...new Set(all.filter(({ status }) => status === 'clean').map(({ module }) => module))];
  const rest = clean.length === 0 ? '' : `clean: ${clean.join(', ')}`;
  line('Findings', findings.length === 0 ? `none${rest === '' ? '' : `; ${rest}`}` : rest);
  if (findings.length === 0) return;
  out(
    indent(
      table(findings, [
        { title: 'finding', value: ({ module, status }) => `${module}.${status}` },
        {
          title: 'name',
          value: ({ name, policy }) => `${name ?? ''}${policy === undefined ? '' : ` (policy ${policy})`}`,
          max: 50,
        },
        { title: 'score', value: ({ score }) => (score === undefined ? '' : String(score)), right: true },
        { title: 'object', value: ({ object }) => object ?? '(message)', max: 50 },
        { title: 'detail', value: ({ detail }) => detail ?? '', max: 80 },
      ]),
    ),
  );
}

/** Label and value of all that is to be said about one recipient. */
function aboutRecipient(report: RecipientReport): [string, string][] {
  const { reply, fired, redirect, route } = report;
  return [
    ['rule', report.rule],
    ['action', report.action],
    [
      'because',
      fired.length === 0 ? 'no response fired' : fired.map((one) => `${one.response} (${one.action})`).join(', '),
    ],
    ...(reply === undefined ? [] : [pair('reply', `${reply.code} ${reply.enhanced} ${reply.text}`)]),
    ...(report.quarantine ? [pair('quarantine', 'the original is kept')] : []),
    ...(report.tags.length === 0 ? [] : [pair('tags', report.tags.join(' '))]),
    ...headerLines(report.headers).map((text) => pair('header', text)),
    ...report.warn.map((name) => pair('warn', name)),
    ...report.disclaimer.map((name) => pair('disclaimer', name)),
    ...(redirect === undefined ? [] : [pair('redirect', redirect.join(', '))]),
    ...(report.copy.length === 0 ? [] : [pair('copy', report.copy.join(', '))]),
    ...(route === undefined ? [] : [pair('route', route)]),
    ...report.edits.map((text) => pair('edit', text)),
    ...report.notes.map((text) => pair('note', text)),
    ...report.notify.map(({ group, to, template }) => pair('notify', `${group}: ${to.join(', ')} (${template})`)),
    ...report.suppressed.map(({ group, to, reason }) => pair('not told', `${group}: ${to.join(', ')}: ${reason}`)),
  ];
}

function pair(label: string, value: string): [string, string] {
  return [label, value];
}

function headerLines({ set, add, remove }: HeaderChanges): string[] {
  return [
    ...Object.entries(set).map(([name, value]) => `set ${name}: ${value}`),
    ...Object.entries(add).flatMap(([name, values]) => [values].flat().map((value) => `add ${name}: ${value}`)),
    ...remove.map((name) => `remove ${name}`),
  ];
}

function auditText({ rule, action, quarantine, tags, notify }: AuditOutcome): string {
  const also = [
    ...(quarantine ? ['quarantine'] : []),
    ...(tags.length === 0 ? [] : [`tags ${tags.join(' ')}`]),
    ...(notify.length === 0 ? [] : [`notify ${notify.map(({ group }) => group).join(', ')}`]),
  ];
  return `${rule} would have done: ${[action, ...also].join(', ')}`;
}

const ACTION_COLOURS = {
  deliver: 'green',
  'delete-attachment': 'yellow',
  defer: 'yellow',
  reject: 'red',
  discard: 'red',
} as const;

function line(label: string, value: string): void {
  const shown = printable(value);
  const colour = label === 'action' && isAction(shown) ? paint(ACTION_COLOURS[shown], shown) : shown;
  out(`${paint('bold', label.padEnd(LABEL))} ${colour}`.trimEnd());
}

function isAction(text: string): text is keyof typeof ACTION_COLOURS {
  return text in ACTION_COLOURS;
}

function textLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
