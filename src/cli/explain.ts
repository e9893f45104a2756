import { buffer } from 'node:stream/consumers';
import type { Config } from '../config/load.js';
import { parseMoment } from '../config/moment.js';
import { canonicalAddress } from '../config/networks.js';
import { loadSetup } from '../gateway/setup.js';
import { isAddress, trialEnvelope, withoutBrackets } from '../gateway/trial/envelope.js';
import { startInspecting } from '../gateway/trial/inspecting.js';
import { oddity } from '../gateway/trial/message.js';
import { reportFor, type RecipientReport } from '../gateway/trial/report.js';
import type { Envelope } from '../message/envelope.js';
import { newTraceId } from '../message/trace-id.js';
import { owe } from '../notifications/owed.js';
import { previewNotification, type PreviewedNotification } from '../notifications/preview.js';
import { oweSettings } from '../notifications/settings.js';
import type { Inspection, InspectInput } from '../pipeline/types.js';
import { canonicalMessage } from '../smtp/canonical.js';
import { UsageError } from './exit.js';
import { printExplanation } from './explain-text.js';
import { readGivenMessage } from './given.js';
import { err, json, paint } from './terminal.js';

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

/** What `explain` says, besides the inspection itself. */
export interface Explanation {
  readonly input: InspectInput;
  readonly inspection: Inspection;
  readonly recipients: Readonly<Record<string, RecipientReport>>;
  readonly rendered: readonly PreviewedNotification[];
}

/** `gatepost explain`: the gateway's own inspection, in this process; nothing is sent, stored or queued. */
export async function explain(file: string, options: ExplainOptions): Promise<void> {
  checkSession(options);
  const setup = await loadSetup('trial', options.config);
  const { config } = setup;
  const raw = file === '-' ? await buffer(process.stdin) : await readGivenMessage(file);
  const odd = oddity(raw, config.smtp.maxMessageSize);
  if (odd !== undefined) err(`${paint('yellow', 'note:', process.stderr)} ${odd}`);
  const { bytes, intake } = canonicalMessage(raw, config.smtp.hostname);
  const input: InspectInput = {
    traceId: newTraceId(),
    envelope: envelopeOf(options, config),
    intake,
    receivedAt: timeOf(options.at, config.node.timezone),
    considered: 'all',
  };
  const inspecting = await startInspecting(setup, 1);
  try {
    const inspection = await inspecting.inspect(input, bytes);
    const recipients = Object.fromEntries(
      inspection.recipients.map((outcome) => [outcome.recipient, reportFor(outcome, inspection, input, config)]),
    );
    const { receivedAt } = input;
    const owed = owe(inspection, input.envelope, oweSettings(config), { intake, receivedAt });
    const rendered =
      options.render === true ? owed.notify.map((one) => previewNotification(one, setup.templates, config)) : [];
    const explanation = { input, inspection, recipients, rendered };
    if (options.json === true) json(asJson(explanation, options.render === true));
    else printExplanation(explanation);
  } finally {
    await inspecting.close();
  }
}

function asJson({ inspection, recipients, rendered }: Explanation, withRendered: boolean): unknown {
  return {
    traceId: inspection.traceId,
    findings: inspection.findings,
    audit: inspection.audit.map(({ recipient, rule, action, quarantine, tags, notify }) => ({
      recipient,
      rule,
      action,
      quarantine,
      tags,
      notify,
    })),
    recipients,
    ...(withRendered ? { rendered } : {}),
  };
}

/** @throws UsageError for what no session could have */
function checkSession({ sender, recipient, client }: ExplainOptions): void {
  if (canonicalAddress(client) === undefined) throw new UsageError(`--client: "${client}" is not an IP address`);
  const from = withoutBrackets(sender);
  if (from !== '' && !isAddress(from))
    throw new UsageError(`--sender: "${sender}" is not an address; give "" or "<>" for mail without a sender`);
  for (const address of recipient)
    if (!isAddress(withoutBrackets(address))) throw new UsageError(`--recipient: "${address}" is not an address`);
}

function envelopeOf(options: ExplainOptions, config: Config): Envelope {
  return trialEnvelope({ ...options, recipients: options.recipient }, config);
}

function timeOf(text: string | undefined, timezone: string): number {
  if (text === undefined) return Date.now();
  const time = parseMoment(text, timezone);
  if (time === undefined) throw new UsageError(`--at: "${text}" is not a time; write it as 2026-11-21T17:05`);
  return time;
}
