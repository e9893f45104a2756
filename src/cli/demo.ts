import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { loadSetup } from '../gateway/setup.js';
import { startGateway, type Gateway } from '../gateway/gateway.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import type { OpenStore } from '../store/open.js';
import type { JournalEntry, LedgerEntry } from '../store/types.js';
import { createLog } from '../telemetry/log.js';
import { DEMO_MAX_SIZE, DEMO_RULES, demoConfig } from './demo/files.js';
import { demoMessages, type DemoMessage } from './demo/messages.js';
import { sendMail } from './demo/smtp-client.js';
import { EXIT } from './exit.js';
import { err, out, paint, printable, table } from './terminal.js';

/** How long the notifications of the demonstration may take, ms. */
const PATIENCE = 15_000;

interface Result {
  readonly message: DemoMessage;
  readonly reply: string;
  readonly entry?: JournalEntry;
  readonly notifications: readonly LedgerEntry[];
  /** What lies in the Maildir for it, against what was sent. */
  readonly delivered: string;
}

/** `gatepost demo`: a real gateway in a temporary folder, ten messages, and what became of each. */
export async function demo(options: { readonly keep?: boolean }): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-demo-'));
  let gateway: Gateway | undefined;
  try {
    await chmod(folder, 0o711);
    await mkdir(path.join(folder, 'rules'));
    await writeFile(path.join(folder, 'gatepost.yaml'), demoConfig());
    await writeFile(path.join(folder, 'rules', '50-demo.yaml'), DEMO_RULES);
    progress('Starting a gateway with its own database in a temporary folder ...');
    const setup = await loadSetup('gateway', path.join(folder, 'gatepost.yaml'));
    gateway = await startGateway(setup, createLog({ level: 'warn', pretty: true }));
    const { host, port } = gateway.addresses[0] ?? { host: '127.0.0.1', port: 0 };
    progress(
      `It listens on ${host}:${port}, delivers into a Maildir, and its rules are those of ${path.join('rules', '50-demo.yaml')}.`,
    );

    const results: Result[] = [];
    const messages = await demoMessages(DEMO_MAX_SIZE);
    for (const [i, message] of messages.entries()) {
      progress(`Sending ${i + 1} of ${messages.length}: ${message.title}`);
      const reply = await sendMail(host, port, message);
      results.push(await resultOf(message, reply, gateway, folder));
    }
    progress('Waiting for the notifications ...');
    await settle(gateway);
    const told = await Promise.all(results.map(async (r) => withNotifications(r, gateway?.store)));
    printResults(told);
    await printNotification(told, folder);
    const wrong = told.filter((r) => r.notifications.some((n) => n.state === 'queued' || n.state === 'failed'));
    if (wrong.length > 0) {
      err('Not all notifications were sent.');
      process.exitCode = EXIT.no;
    }
    if (options.keep === true) await keepRunning(folder, host, port);
  } finally {
    await gateway?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function resultOf(message: DemoMessage, reply: string, gateway: Gateway, folder: string): Promise<Result> {
  const id = traceIdIn(reply);
  if (id === undefined) return { message, reply, notifications: [], delivered: '' };
  await gateway.store.journal.flush();
  const entry = await gateway.store.journal.find(id);
  const copies = await deliveredCopies(folder, id);
  const delivered = copies.map((bytes) => compare(bytes, message.bytes)).join('; ');
  return { message, reply, ...(entry === undefined ? {} : { entry }), notifications: [], delivered };
}

async function withNotifications(result: Result, store: OpenStore | undefined): Promise<Result> {
  if (result.entry === undefined || store === undefined) return result;
  return { ...result, notifications: await store.ledger.ofMessage(result.entry.id) };
}

function traceIdIn(reply: string): TraceId | undefined {
  const word = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0];
  return word === undefined ? undefined : parseTraceId(word);
}

async function deliveredCopies(folder: string, id: TraceId): Promise<Buffer[]> {
  const inbox = path.join(folder, 'inbox', 'new');
  const names = await readdir(inbox).catch(() => []);
  const all = await Promise.all(names.map(async (name) => await readFile(path.join(inbox, name))));
  return all.filter((bytes) => bytes.includes(`X-Gatepost-ID: ${id}`));
}

/** Whether the bytes that were sent stand at the end of what was delivered. */
function compare(delivered: Buffer, sent: Buffer): string {
  const canonical = (bytes: Buffer): string => bytes.toString('latin1').replace(/\r?\n/g, '\r\n');
  return canonical(delivered).endsWith(canonical(sent))
    ? 'byte for byte as sent'
    : `${delivered.length} bytes of the ${sent.length} that were sent`;
}

/** Waits until every notification has a final state, or patience is over. */
async function settle(gateway: Gateway): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (gateway.pendingNotifications > 0 && Date.now() < end) await delay(50);
}

function printResults(results: readonly Result[]): void {
  out();
  for (const [i, result] of results.entries()) {
    out(paint('bold', `${i + 1}. ${result.message.title}`));
    const code = result.reply.slice(0, 1);
    out(`   reply      ${paint(code === '2' ? 'green' : code === '4' ? 'yellow' : 'red', printable(result.reply))}`);
    for (const { recipient, decision } of result.entry?.decisions ?? []) {
      const findings = decision.fired.map((f) => f.name).join(', ');
      out(
        `   ${recipient}: rule ${paint('cyan', decision.rule)}, ${decision.action}${findings === '' ? '' : ` (${findings})`}${decision.quarantine ? ', original in the quarantine' : ''}`,
      );
    }
    for (const { changes } of result.entry?.decisions ?? [])
      for (const change of changes) out(`   changed    ${printable(change)}`);
    out(`   delivered  ${result.delivered === '' ? 'nothing' : result.delivered}`);
    const told = result.notifications.map((n) => `${n.to} (${n.group ?? n.kind}, ${n.state})`);
    out(`   told       ${told.length === 0 ? 'nobody' : told.join(', ')}`);
  }
  out();
  out(
    table(
      results.map((r, i) => ({ ...r, number: i + 1 })),
      [
        { title: '#', value: (r) => String(r.number), right: true },
        { title: 'message', value: (r) => r.message.title },
        { title: 'reply', value: (r) => r.reply.slice(0, 9) },
        {
          title: 'rule',
          value: (r) => [...new Set((r.entry?.decisions ?? []).map((d) => d.decision.rule))].join(', ') || '-',
        },
        {
          title: 'action',
          value: (r) =>
            [...new Set((r.entry?.decisions ?? []).map((d) => d.decision.action))].join(', ') ||
            'refused in the session',
        },
        { title: 'told', value: (r) => String(r.notifications.filter((n) => n.state === 'sent').length), right: true },
      ],
    ),
  );
}

/** One notification as its reader gets it. */
async function printNotification(results: readonly Result[], folder: string): Promise<void> {
  const id = results.find((r) => r.notifications.some((n) => n.state === 'sent'))?.entry?.id;
  if (id === undefined) return;
  const inbox = path.join(folder, 'inbox', 'new');
  for (const name of await readdir(inbox)) {
    const bytes = await readFile(path.join(inbox, name));
    if (!bytes.includes(`X-Gatepost-Notification: ${id}`)) continue;
    const mail = await simpleParser(bytes);
    out(`\n${paint('bold', 'One of the notifications, in full')}`);
    for (const { line } of mail.headerLines) out(`  ${printable(line.replace(/\r?\n[ \t]+/g, ' '))}`);
    out();
    out((mail.text ?? '').trimEnd().replace(/^/gm, '  '));
    return;
  }
}

async function keepRunning(folder: string, host: string, port: number): Promise<void> {
  out(`
It goes on running; Ctrl+C ends it and removes its folder.
  send more     swaks --server ${host}:${port} --from you@partner.example --to bob@example.org --attach FILE
  what happened npx gatepost trace ID --config ${path.join(folder, 'gatepost.yaml')}
  quarantine    npx gatepost quarantine list --config ${path.join(folder, 'gatepost.yaml')}
  what if       npx gatepost explain MAIL.eml --sender a@b.example --recipient bob@example.org --config ${path.join(folder, 'gatepost.yaml')}
  delivered     ${path.join(folder, 'inbox', 'new')}
  the rules     ${path.join(folder, 'rules', '50-demo.yaml')}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function progress(text: string): void {
  out(paint('dim', text));
}
