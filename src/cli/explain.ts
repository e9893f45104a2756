import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { canonicalAddress, networkSet } from '../config/networks.js';
import type { Config } from '../config/load.js';
import { formatSize } from '../config/units.js';
import { loadSetup } from '../gateway/setup.js';
import type { Envelope } from '../message/envelope.js';
import { newTraceId } from '../message/trace-id.js';
import { owedFor, owe, type ToldGroup, type UntoldGroup } from '../notifications/owed.js';
import { previewNotification } from '../notifications/preview.js';
import { oweSettings } from '../notifications/settings.js';
import { createInspector } from '../pipeline/inspector.js';
import type { Inspection, InspectInput } from '../pipeline/types.js';
import type { Considered, Decision } from '../rules/types.js';
import { canonicalMessage } from '../smtp/canonical.js';
import { UsageError } from './exit.js';
import { json, out, paint, printable, table } from './terminal.js';

export interface ExplainOptions {
  readonly sender: string;
  readonly recipient: readonly string[];
  readonly client: string;
  readonly helo: string;
  readonly tls?: boolean;
  readonly authenticated?: boolean | string;
  readonly at?: string;
  readonly render?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

/** What `explain --json` says of one recipient. */
export interface ExplainedRecipient {
  readonly rule: string;
  readonly action: string;
  readonly quarantine: boolean;
  readonly tags: readonly string[];
  readonly headers: Decision['headers'];
  readonly warn: readonly string[];
  readonly disclaimer: readonly string[];
  readonly notify: readonly ToldGroup[];
  readonly suppressed: readonly UntoldGroup[];
  readonly considered: readonly Considered[];
  readonly reply?: Decision['reply'];
  readonly fired: readonly { readonly response: string; readonly action: string }[];
  readonly edits: readonly string[];
  readonly notes: readonly string[];
}

/** `gatepost explain`: the gateway's own inspection, in this process; nothing is sent, stored or queued. */
export async function explain(file: string, options: ExplainOptions): Promise<void> {
  const setup = await loadSetup(options.config);
  const { config } = setup;
  const canonical = canonicalMessage(await readMessageFile(file), config.smtp.hostname);
  const input: InspectInput = {
    traceId: newTraceId(),
    envelope: envelopeOf(options, config),
    intake: canonical.intake,
    receivedAt: timeOf(options.at),
  };
  const inspector = await createInspector({
    bundle: setup.bundle,
    specs: setup.specs,
    limits: config.scan,
    deadline: config.scan.deadline,
  });
  try {
    const inspection = await inspector.inspect(input, canonical.bytes);
    const recipients = Object.fromEntries(
      inspection.recipients.map(({ recipient }) => [recipient, explained(recipient, inspection, input, config)]),
    );
    const owed = owe(inspection, input.envelope, oweSettings(config), {
      intake: input.intake,
      receivedAt: input.receivedAt,
    });
    const rendered =
      options.render === true ? owed.notify.map((n) => previewNotification(n, setup.templates, config)) : [];
    if (options.json === true) {
      json({
        traceId: inspection.traceId,
        findings: inspection.findings,
        audit: inspection.audit,
        recipients,
        ...(options.render === true ? { rendered } : {}),
      });
      return;
    }
    print(inspection, recipients, input);
    for (const mail of rendered)
      out(`\n${paint('bold', `Notification to ${mail.to}: ${mail.subject}`)}\n${indent(mail.text)}`);
  } finally {
    await inspector.close();
  }
}

function explained(recipient: string, inspection: Inspection, input: InspectInput, config: Config): ExplainedRecipient {
  const outcome = inspection.recipients.find((r) => r.recipient === recipient);
  if (outcome === undefined) throw new Error(`nothing was decided for ${recipient}`);
  const { decision, considered } = outcome;
  const delivered = decision.action === 'deliver' || decision.action === 'delete-attachment';
  const { notify, suppressed } = owedFor(recipient, inspection, input.envelope, oweSettings(config), {
    intake: input.intake,
    receivedAt: input.receivedAt,
  });
  return {
    rule: decision.rule,
    action: decision.action,
    quarantine: decision.quarantine,
    tags: delivered ? decision.tags : [],
    headers: delivered ? decision.headers : { set: {}, add: {}, remove: [] },
    warn: delivered ? decision.warn : [],
    disclaimer: delivered ? decision.disclaimer : [],
    notify,
    suppressed,
    considered,
    ...(decision.reply === undefined ? {} : { reply: decision.reply }),
    fired: decision.fired.map((f) => ({ response: f.key, action: f.action })),
    edits: inspection.copies.find((copy) => copy.recipients.includes(recipient))?.changes ?? [],
    notes: decision.notes,
  };
}

function print(
  inspection: Inspection,
  recipients: Readonly<Record<string, ExplainedRecipient>>,
  input: InspectInput,
): void {
  const { facts } = inspection;
  out(
    `${paint('bold', 'Message')}   ${printable(facts.subject) || '(no subject)'}, ${formatSize(facts.size)}, from ${input.envelope.sender || '<>'} at ${input.envelope.client}`,
  );
  const findings = inspection.findings.filter((f) => f.status !== 'clean');
  out(`${paint('bold', 'Findings')}  ${findings.length === 0 ? 'none' : ''}`);
  if (findings.length > 0) {
    out(
      indent(
        table(findings, [
          { title: 'finding', value: (f) => `${f.module}.${f.status}` },
          { title: 'name', value: (f) => f.name ?? '', max: 50 },
          { title: 'object', value: (f) => f.object ?? '(message)', max: 50 },
          { title: 'detail', value: (f) => f.detail ?? '', max: 80 },
        ]),
      ),
    );
  }
  for (const [recipient, result] of Object.entries(recipients)) {
    out(`\n${paint('bold', recipient)}`);
    out(indent(aboutRecipient(result)));
    out(indent('rules:'));
    out(
      indent(
        indent(
          table(result.considered, [
            { title: 'rule', value: (c) => c.rule },
            { title: '', value: (c) => (c.matched ? paint('green', 'yes') : 'no') },
            { title: 'why', value: (c) => c.why, max: 100 },
          ]),
        ),
      ),
    );
  }
  for (const audit of inspection.audit)
    out(`\naudit: ${audit.rule} would have done ${audit.action} for ${audit.recipient}`);
}

/** The lines about one recipient. */
function aboutRecipient(result: ExplainedRecipient): string {
  const lines: [string, string][] = [
    ['rule', result.rule],
    [
      'action',
      paint(
        result.action === 'deliver' ? 'green' : result.action === 'delete-attachment' ? 'yellow' : 'red',
        result.action,
      ),
    ],
  ];
  if (result.reply !== undefined)
    lines.push(['reply', `${result.reply.code} ${result.reply.enhanced} ${result.reply.text}`]);
  if (result.fired.length > 0)
    lines.push(['because', result.fired.map((f) => `${f.response} (${f.action})`).join(', ')]);
  if (result.quarantine) lines.push(['quarantine', 'the original is kept']);
  if (result.tags.length > 0) lines.push(['tags', result.tags.join(' ')]);
  for (const edit of result.edits) lines.push(['edit', edit]);
  for (const note of result.notes) lines.push(['note', note]);
  for (const told of result.notify) lines.push(['notify', `${told.group}: ${told.to.join(', ')} (${told.template})`]);
  for (const told of result.suppressed)
    lines.push(['not told', `${told.group}: ${told.to.join(', ')}: ${told.reason}`]);
  return lines.map(([key, value]) => `${key.padEnd(10)}  ${printable(value)}`).join('\n');
}

function envelopeOf(options: ExplainOptions, config: Config): Envelope {
  const client = canonicalAddress(options.client);
  if (client === undefined) throw new UsageError(`--client: "${options.client}" is not an IP address`);
  const user =
    typeof options.authenticated === 'string'
      ? options.authenticated
      : options.authenticated === true
        ? 'user'
        : undefined;
  const addresses = [...new Set(options.recipient)];
  for (const address of addresses)
    if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw new UsageError(`--recipient: "${address}" is not an address`);
  return {
    sender: options.sender.replace(/^<(.*)>$/, '$1'),
    recipients: addresses.map((address) => ({ address })),
    client,
    helo: options.helo,
    tls: options.tls === true,
    ...(user === undefined ? {} : { user }),
    trusted: user !== undefined || networkSet(config.trusted).has(client),
    smtpUtf8: false,
    eightBit: true,
  };
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UsageError(`--at: "${text}" is not a time; write it as 2026-11-21T17:05:00+01:00`);
  return time;
}

async function readMessageFile(file: string): Promise<Buffer> {
  if (file === '-') return await buffer(process.stdin);
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(
      `cannot read ${file}: ${error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error)}`,
    );
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
