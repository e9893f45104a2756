import { readFileSync } from 'node:fs';
import { loadConfig, type Config } from '../config/load.js';
import { unfit } from '../delivery/client/commands.js';
import { HopError, type Stage } from '../delivery/client/errors.js';
import { openSession } from '../delivery/client/session.js';
import { transact } from '../delivery/client/transaction.js';
import { openHop } from '../delivery/hop.js';
import { HopUrlError, parseHopUrl, type SmtpTarget } from '../delivery/hop-url.js';
import { replyLine } from '../delivery/reply.js';
import type { HopReply, OutgoingMail } from '../delivery/types.js';
import { templateFolders } from '../gateway/setup.js';
import { newTraceId } from '../message/trace-id.js';
import { isDeliverable } from '../notifications/mailbox.js';
import { loadTemplates } from '../notifications/templates/load.js';
import { webhooksOf } from '../notifications/webhooks/hook.js';
import { postTo } from '../notifications/webhooks/post.js';
import { EXIT, UsageError } from './exit.js';
import { adviceFor, webhookAdvice, type Failure, type ServerKey } from './notify-test-advice.js';
import { ShownDialogue } from './notify-test-dialogue.js';
import { makeTestMail, testTemplate, type TestMail } from './notify-test-mail.js';
import { json, out, paint, printable } from './terminal.js';

export interface NotifyTestOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly kind?: string;
  readonly template?: string;
  readonly language?: string;
  readonly webhooks?: boolean;
}

/** How it went with one server. */
interface Sending {
  readonly server: string;
  readonly sent: boolean;
  readonly dialogue: readonly string[];
  readonly reply: string;
  readonly advice?: string;
}

interface HookResult {
  readonly url: string;
  readonly sent: boolean;
  readonly reply: string;
  readonly advice?: string;
}

/** Somebody waits at the terminal, ms. */
const TIMEOUTS = { connect: 15_000, hello: 20_000, command: 30_000, data: 30_000, end: 60_000 };

/** `gatepost notify-test`: sends one notification with made-up data, and shows how it went. */
export async function notifyTest(address: string | undefined, options: NotifyTestOptions): Promise<void> {
  if (address === undefined && options.webhooks !== true) throw new UsageError('an address is needed (or --webhooks)');
  if (address !== undefined && !isDeliverable(address))
    throw new UsageError(`${printable(address)} is not an address that mail can be sent to`);
  const { config } = await loadConfig(options.config);
  const mail = address === undefined ? undefined : await mailFor(address, config, options);
  const sendings = mail === undefined ? [] : await sendInOrder(mail, config);
  const hooks = options.webhooks === true ? await callAll(config) : undefined;
  const mailSent = mail === undefined || sendings.some(({ sent }) => sent);
  // Where nothing was to be sent nothing was.
  const nothing = mail === undefined && hooks?.length === 0;
  const good = mailSent && !nothing && (hooks?.every(({ sent }) => sent) ?? true);
  if (options.json === true) {
    const last = sendings.at(-1);
    json({
      sent: good,
      ...(mail === undefined
        ? {}
        : { to: address, template: mail.template, subject: mail.subject, messageId: mail.messageId, ...last }),
      ...(sendings.length > 1 ? { servers: sendings } : {}),
      ...(hooks === undefined ? {} : { webhooks: hooks }),
    });
  } else {
    if (mail !== undefined && address !== undefined) print(address, mail, sendings);
    if (hooks !== undefined) printHooks(hooks);
  }
  process.exitCode = good ? EXIT.good : EXIT.no;
}

async function mailFor(address: string, config: Config, options: NotifyTestOptions): Promise<TestMail> {
  const language = options.language ?? config.notifications.language;
  const { templates } = await loadTemplates(templateFolders(config), language, config.folder);
  return await makeTestMail(address, testTemplate(templates, options), config, Date.now());
}

/** As the gateway does: the next server only when one could not be used. */
async function sendInOrder({ mail }: TestMail, config: Config): Promise<readonly Sending[]> {
  const { server } = config.notifications;
  const key = server === undefined ? 'delivery.nextHop' : 'notifications.server';
  const done: Sending[] = [];
  for (const url of server === undefined ? config.delivery.nextHop : [server]) {
    const { sending, hopFailed } = await sendTo(url, mail, key, config);
    done.push(sending);
    if (!hopFailed) break;
  }
  return done;
}

async function sendTo(
  url: string,
  mail: OutgoingMail,
  key: ServerKey['key'],
  config: Config,
): Promise<{ readonly sending: Sending; readonly hopFailed: boolean }> {
  const target = parseHopUrl(url, config.folder);
  if (target.kind === 'smtp') return await sendBySmtp(target, mail, key, config);
  const hop = openHop(url, { hostname: config.smtp.hostname, folder: config.folder });
  const result = await hop.send(mail);
  await hop.close();
  const [recipient] = result.recipients;
  const sent = recipient?.state === 'delivered';
  const reply = recipient === undefined ? '' : replyLine(recipient.reply);
  const advice = `The folder could not be written: check that it is there and may be written by this account (${key}).`;
  return {
    sending: { server: hop.name, sent, dialogue: [], reply, ...(sent ? {} : { advice }) },
    hopFailed: result.hopFailed,
  };
}

async function sendBySmtp(
  target: SmtpTarget,
  mail: OutgoingMail,
  key: ServerKey['key'],
  config: Config,
): Promise<{ readonly sending: Sending; readonly hopFailed: boolean }> {
  const watcher = new ShownDialogue();
  const { host, port, implicitTls } = target;
  const server: ServerKey = { key, host, port, implicitTls, hasPassword: target.credentials !== undefined };
  const fail = (failure: Failure): { readonly sending: Sending; readonly hopFailed: boolean } => ({
    sending: {
      server: target.name,
      sent: false,
      dialogue: watcher.lines,
      reply: printable(failure.text),
      advice: adviceFor(failure, server),
    },
    hopFailed: ['connect', 'greeting', 'ehlo', 'starttls', 'auth'].includes(failure.stage),
  });
  try {
    const ca = target.ca === undefined ? {} : { ca: certificates(target.ca) };
    const session = await openSession(target, { hostname: config.smtp.hostname, timeouts: TIMEOUTS, watcher, ...ca });
    const reason = unfit(mail, session.extensions);
    const fits = reason?.enhanced === '5.6.3' && mail.sevenBit !== undefined ? await inSevenBit(mail) : mail;
    if (reason !== undefined && fits === mail) {
      session.connection.quit();
      return fail(failureOf('mail', reason));
    }
    const result = await transact(session, fits, TIMEOUTS, false);
    session.connection.quit();
    const [recipient] = result.recipients;
    if (recipient === undefined) return fail({ stage: 'content', text: 'no answer about the recipient', own: true });
    if (recipient.state !== 'delivered')
      return fail(failureOf(result.failure?.stage ?? stageOf(watcher.lines), recipient.reply));
    const reply = replyLine(recipient.reply);
    return { sending: { server: target.name, sent: true, dialogue: watcher.lines, reply }, hopFailed: false };
  } catch (error) {
    if (error instanceof HopError) return fail({ ...failureOf(error.stage, error.reply), ...codeOf(error) });
    throw error;
  }
}

async function inSevenBit(mail: OutgoingMail): Promise<OutgoingMail> {
  const content = await mail.sevenBit?.();
  return content === undefined ? mail : { ...mail, content, eightBit: false };
}

/** @throws HopUrlError */
function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HopUrlError(`the file of ca= cannot be read: ${file}`, { cause: error });
  }
}

function failureOf(stage: Stage | 'rcpt', reply: HopReply): Failure {
  return {
    stage,
    text: replyLine(reply),
    own: reply.own === true,
    ...(reply.code === undefined ? {} : { reply: reply.code }),
  };
}

/** Which command the server refused: by the number of the replies after the first MAIL. */
function stageOf(lines: readonly string[]): Stage | 'rcpt' {
  const from = lines.findIndex((line) => line.startsWith('C: MAIL'));
  const replies = lines.slice(from).filter((line) => /^S: \d{3} /.test(line));
  const stages = ['mail', 'rcpt', 'data', 'end-of-data'] as const;
  const at = replies.findIndex((line) => /^S: [45]/.test(line));
  return stages[at] ?? 'end-of-data';
}

/** The code of the innermost cause that has one. */
function codeOf(error: Error): { readonly code?: string } {
  let code: string | undefined;
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if ('code' in at && typeof at.code === 'string') ({ code } = { code: at.code });
  return code === undefined ? {} : { code };
}

async function callAll(config: Config): Promise<readonly HookResult[]> {
  const now = Date.now();
  return await Promise.all(
    webhooksOf(config).map(async (hook): Promise<HookResult> => {
      const { state, reply, code } = await postTo(
        hook,
        {
          version: 1,
          kind: 'test',
          id: `test-${newTraceId(now)}`,
          traceId: null,
          time: new Date(now).toISOString(),
          node: config.node.name,
          severity: 'informative',
          description: 'This is a test of gatepost notify-test.',
        },
        now,
      );
      const sent = state === 'sent';
      return { url: hook.name, sent, reply, ...(sent ? {} : { advice: webhookAdvice(code, reply) }) };
    }),
  );
}

function print(address: string, mail: TestMail, sendings: readonly Sending[]): void {
  out(`To          ${printable(address)}`);
  out(`Subject     ${printable(mail.subject)}`);
  out(`Template    ${mail.template}`);
  out(`Message-ID  <${mail.messageId}>`);
  for (const { server, sent, dialogue, reply, advice } of sendings) {
    out(`\n${paint('bold', server)}`);
    for (const line of dialogue) out(`  ${line}`);
    out(sent ? paint('green', `Sent: ${reply}`) : paint('red', `Not sent: ${reply}`));
    if (advice !== undefined) out(advice);
  }
}

function printHooks(hooks: readonly HookResult[]): void {
  if (hooks.length === 0) out('No webhook is configured (notifications.webhooks).');
  for (const { url, sent, reply, advice } of hooks) {
    out(`\n${paint('bold', url)}`);
    out(sent ? paint('green', `Told: ${printable(reply)}`) : paint('red', `Not told: ${printable(reply)}`));
    if (advice !== undefined) out(advice);
  }
}
