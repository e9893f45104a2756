import type { Config } from '../config/load.js';
import { adviceFor } from '../delivery/dsn/advice.js';
import { hostOf } from '../delivery/dsn/status.js';
import { saidLast } from '../delivery/settle.js';
import { loadSetup } from '../gateway/setup.js';
import { isAddress, trialEnvelope, withoutBrackets } from '../gateway/trial/envelope.js';
import { startInspecting } from '../gateway/trial/inspecting.js';
import type { Envelope } from '../message/envelope.js';
import { readMessage } from '../message/read.js';
import { newTraceId, parseTraceId } from '../message/trace-id.js';
import { ruleContext } from '../notifications/context.js';
import { oweSettings } from '../notifications/settings.js';
import type { Template } from '../notifications/templates/load.js';
import type { TemplateContext } from '../notifications/templates/render.js';
import { contextOfKind } from '../notifications/templates/samples.js';
import type { RuleNotificationContext } from '../notifications/types.js';
import type { Inspection, RecipientOutcome } from '../pipeline/types.js';
import type { FiredResponse } from '../rules/types.js';
import { canonicalMessage } from '../smtp/canonical.js';
import type { DeliveryRecord, JournalEntry } from '../store/types.js';
import { UsageError } from './exit.js';
import { readGivenMessage } from './given.js';
import { withStore } from './with-store.js';

/** What a preview is filled with, and what is to be said of it. */
export interface RealData {
  readonly context: TemplateContext;
  readonly notes: readonly string[];
}

type Judged = Pick<Inspection, 'traceId' | 'facts' | 'recipients' | 'copies'>;

/** Runs a message through the rules as `explain` does. @throws UsageError for a file that cannot be read */
export async function contextOfFile(
  template: Template,
  file: string,
  options: { readonly config?: string; readonly sender?: string; readonly recipient?: readonly string[] },
): Promise<RealData> {
  const setup = await loadSetup('trial', options.config);
  const { config } = setup;
  const { bytes, intake } = canonicalMessage(await readGivenMessage(file), config.smtp.hostname);
  const envelope = envelopeOf(bytes, options, config);
  const input = { traceId: newTraceId(), envelope, intake, receivedAt: Date.now(), considered: 'all' } as const;
  const inspecting = await startInspecting(setup, 1);
  try {
    const inspection = await inspecting.inspect(input, bytes);
    return fill(template, inspection, envelope, input.receivedAt, config);
  } finally {
    await inspecting.close();
  }
}

/** The data of a message that was received, by its trace ID. @returns undefined when the journal does not know it */
export async function contextOfId(template: Template, id: string, config: Config): Promise<RealData | undefined> {
  const traceId = parseTraceId(id.replace(/\.\w+$/, ''));
  if (traceId === undefined)
    throw new UsageError(`--id: "${id}" is not a unique ID; \`gatepost trace\` finds one by a Message-ID`);
  const entry = await withStore(
    config,
    async (store) => (await store.journal.find(traceId)) ?? null,
    () => null,
  );
  if (entry === null) return undefined;
  const envelope: Envelope = {
    sender: entry.sender,
    recipients: entry.recipients.map((address) => ({ address })),
    client: entry.client,
    helo: entry.helo,
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
  };
  return fill(template, judgedOf(entry), envelope, entry.time.getTime(), config, entry.deliveries);
}

function judgedOf({ id, size, subject, messageId, decisions }: JournalEntry): Judged {
  return {
    traceId: id,
    facts: { size, subject, messageId, from: [], eightBit: false },
    recipients: decisions.map(({ recipient, decision, considered }) => ({ recipient, decision, considered })),
    copies: [],
  };
}

function fill(
  template: Template,
  judged: Judged,
  envelope: Envelope,
  receivedAt: number,
  config: Config,
  deliveries: readonly DeliveryRecord[] = [],
): RealData {
  const { node } = oweSettings(config);
  const { told, notes } = contributions(template, judged);
  const inspection: Inspection = {
    findings: [],
    modules: [],
    audit: [],
    phases: { parse: 0, detect: 0, decide: 0, edit: 0 },
    ...judged,
  };
  const rule = ruleContext(inspection, envelope, node, told, { receivedAt });
  if (template.kind === 'rule' || template.kind === 'banner') return { context: rule, notes };
  return { context: ofMail(template, rule, deliveries), notes: [] };
}

/** What a response told by this template; where none did, what any found, so that there is something to look at. */
function contributions(
  { name }: Template,
  { recipients }: Judged,
): {
  readonly told: readonly { readonly outcome: RecipientOutcome; readonly fired: FiredResponse }[];
  readonly notes: readonly string[];
} {
  const all = recipients.flatMap((outcome) => outcome.decision.fired.map((fired) => ({ outcome, fired })));
  const told = all.filter(
    ({ fired }) =>
      fired.warn === name || fired.disclaimer === name || fired.notify.some((each) => each.template === name),
  );
  if (told.length > 0) return { told, notes: [] };
  if (all.length > 0)
    return {
      told: all,
      notes: [`no response that was triggered tells by \`${name}\`: it shows what all of them found`],
    };
  return {
    told: recipients.map((outcome) => ({ outcome, fired: nothing(outcome) })),
    notes: ['no response was triggered: nothing would be told of this message'],
  };
}

function nothing({ decision }: RecipientOutcome): FiredResponse {
  return { key: '', name: '', findings: [], action: decision.action, quarantine: false, notify: [] };
}

/** For bounces and notices: the message is the real one; what the servers said as far as the journal has it. */
export function ofMail(
  template: Pick<Template, 'kind' | 'name'>,
  rule: RuleNotificationContext,
  deliveries: readonly DeliveryRecord[],
): TemplateContext {
  const { messageId, smtpMessageId, date, sender, senderIp, allRecipients, subject, size, node } = rule;
  const message = { messageId, smtpMessageId, date, sender, senderIp, allRecipients, subject, size, node };
  const sample = contextOfKind(template, node);
  if (!('kind' in sample) || (sample.kind !== 'dsn' && sample.kind !== 'notice')) return rule;
  // What became of the reports themselves is not what they told.
  const failed = deliveries.filter(
    ({ state, recipient }) =>
      (state === 'failed' || state === 'deferred' || state === 'refused') && allRecipients.includes(recipient),
  );
  const reported =
    failed.length === 0
      ? sample.reported.map((one, i) => ({ ...one, address: allRecipients[i] ?? one.address }))
      : failed.map(reportedOf);
  return { ...sample, ...message, affectedRecipients: reported.map(({ address }) => address), reported };
}

function reportedOf({ recipient, reply, hop }: DeliveryRecord) {
  const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(reply)?.[0] ?? '5.0.0';
  const server = hop === '' ? '' : hostOf(hop);
  return { address: recipient, status, server, reply: saidLast(reply), ...adviceFor(status) };
}

/** From the options, else from the fields of the message. */
function envelopeOf(
  bytes: Buffer,
  options: { readonly sender?: string; readonly recipient?: readonly string[] },
  config: Config,
): Envelope {
  const header = readMessage(
    bytes,
    { maxDepth: 1, maxParts: 1, maxArchiveEntries: 0, maxUnpacked: 0 },
    { depth: 'header' },
  );
  const inField = (name: string): string[] =>
    header.addresses(name).flatMap(({ address }) => (isAddress(address) ? [address] : []));
  const recipients = options.recipient ?? [...new Set([...inField('to'), ...inField('cc')])];
  for (const address of options.recipient ?? [])
    if (!isAddress(withoutBrackets(address))) throw new UsageError(`--recipient: "${address}" is not an address`);
  if (recipients.length === 0) throw new UsageError('the message names no recipient: give one with --recipient');
  const sender = options.sender ?? inField('return-path')[0] ?? inField('from')[0] ?? '';
  const plain = withoutBrackets(sender);
  if (plain !== '' && !isAddress(plain)) throw new UsageError(`--sender: "${sender}" is not an address`);
  return trialEnvelope({ sender, recipients }, config);
}
