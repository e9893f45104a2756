import { newTraceId } from '../../src/message/trace-id.js';
import type { Envelope } from '../../src/message/envelope.js';
import type { Finding } from '../../src/detectors/types.js';
import { notificationId } from '../../src/notifications/identity.js';
import { MemorySending } from '../../src/notifications/rate/memory.support.js';
import type { OweSettings } from '../../src/notifications/owed.js';
import type {
  MailTransport,
  NotificationMail,
  OwedRuleNotification,
  TransportResult,
} from '../../src/notifications/types.js';
import type { Inspection, RecipientOutcome } from '../../src/pipeline/types.js';
import type { JobHandler, JobQueue, QueueBackend } from '../../src/queue/types.js';
import type { Attach, Decision, FiredResponse, Group, NotifyTarget } from '../../src/rules/types.js';
import type { Ledger, LedgerEntry } from '../../src/store/types.js';

export const NODE = { name: 'gw1', address: '10.0.0.11', port: 2525, comment: 'rack 2', timezone: 'Europe/Berlin' };

export const SETTINGS: OweSettings = {
  enabled: true,
  from: 'Gatepost <gatepost@example.org>',
  general: ['security@example.org'],
  domains: ['example.org'],
  external: 'authenticated',
  minSeverity: 'warning',
  node: NODE,
};

export const INFECTED: Finding = {
  module: 'signatures',
  status: 'infected',
  name: 'Eicar-Test',
  object: 'invoice.zip/setup.exe',
  size: 68,
};

export function target(group: Group, template = `rule-${group}`, attach: Attach = 'none'): NotifyTarget {
  return { group, template, attach };
}

export function fired(notify: readonly NotifyTarget[], changes: Partial<FiredResponse> = {}): FiredResponse {
  return {
    key: 'malware',
    name: 'malware',
    findings: [INFECTED],
    action: 'reject',
    quarantine: true,
    notify,
    ...changes,
  };
}

export function decision(responses: readonly FiredResponse[], changes: Partial<Decision> = {}): Decision {
  return {
    rule: 'inbound',
    ruleName: 'Inbound mail',
    process: 'scan',
    action: 'reject',
    quarantine: true,
    fired: responses,
    removals: [],
    tags: [],
    headers: { set: {}, add: {}, remove: [] },
    warn: [],
    disclaimer: [],
    copy: [],
    additional: [],
    notes: [],
    ...changes,
  };
}

export function outcome(recipient: string, decided: Decision): RecipientOutcome {
  return { recipient, decision: decided, considered: [] };
}

/** Recipients with the same decision object share a copy. */
export function inspection(recipients: readonly RecipientOutcome[], changes: Partial<Inspection> = {}): Inspection {
  const decisions = [...new Set(recipients.map((each) => each.decision))];
  return {
    traceId: newTraceId(),
    findings: [INFECTED],
    modules: [],
    facts: { size: 4321, subject: 'Your invoice', messageId: 'abc@partner.example', from: [], eightBit: false },
    recipients,
    copies: decisions.map((each) => ({
      recipients: recipients.filter((r) => r.decision === each).map((r) => r.recipient),
      decision: each,
      edits: [],
      changes: [],
    })),
    audit: [],
    phases: { parse: 0, detect: 0, decide: 0, edit: 0 },
    ...changes,
  };
}

export function envelope(changes: Partial<Envelope> = {}): Envelope {
  return {
    sender: 'alice@partner.example',
    recipients: [{ address: 'bob@example.org' }],
    client: '192.0.2.7',
    helo: 'mail.partner.example',
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
    ...changes,
  };
}

/** One owed notification, as `owe` makes it. */
export function owedNotification(changes: Partial<OwedRuleNotification> = {}): OwedRuleNotification {
  const traceId = changes.traceId ?? newTraceId();
  return {
    id: notificationId(traceId, 'rule-general', 'security@example.org'),
    kind: 'rule',
    traceId,
    rule: 'inbound',
    group: 'general',
    to: 'security@example.org',
    template: 'rule-general',
    attach: 'none',
    ...changes,
    context: {
      messageId: traceId,
      smtpMessageId: 'abc@partner.example',
      date: Date.UTC(2026, 10, 21, 16, 5, 9),
      sender: 'alice@partner.example',
      senderIp: '192.0.2.7',
      allRecipients: ['bob@example.org', 'carol@example.org'],
      affectedRecipients: ['bob@example.org'],
      subject: 'Your invoice',
      size: 4321,
      rules: [{ id: 'inbound', name: 'Inbound mail' }],
      action: 'rejected',
      quarantined: true,
      objects: [
        { name: 'invoice.zip/setup.exe', size: 68, status: 'infected', module: 'signatures', threat: 'Eicar-Test' },
      ],
      node: NODE,
      ...changes.context,
    },
  };
}

export class FakeClock {
  time = Date.UTC(2026, 10, 21, 12);
  now(): number {
    return this.time;
  }
}

/** The ledger's contract in memory, on what the store of sending holds; can be away. */
export class FakeLedger implements Ledger {
  readonly sending = new MemorySending();
  away = false;
  writes = 0;

  constructor() {
    this.sending.before = () => {
      if (this.away) throw new Error('the database is away');
    };
  }

  /** Rows by ID. */
  get rows(): ReadonlyMap<string, LedgerEntry> {
    return new Map([...this.sending.rows].map(([id, { entry }]) => [id, entry]));
  }

  get(id: string): Promise<LedgerEntry | undefined> {
    return this.answer(() => this.rows.get(id));
  }

  settled(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.answer(() => new Set(ids.filter((id) => (this.rows.get(id)?.state ?? 'queued') !== 'queued')));
  }

  put(entry: LedgerEntry): Promise<void> {
    return this.answer(() => {
      this.writes++;
      this.sending.write({ entry });
    });
  }

  ofMessage(id: string): Promise<readonly LedgerEntry[]> {
    return this.answer(() => [...this.rows.values()].filter((row) => row.traceId === id));
  }

  list(): Promise<readonly LedgerEntry[]> {
    return this.answer(() => [...this.rows.values()]);
  }

  private answer<T>(value: () => T): Promise<T> {
    return this.away ? Promise.reject(new Error('the database is away')) : Promise.resolve(value());
  }
}

/** The queue's contract in memory: jobs run when the test says so. Can be away and can be wiped. */
export class FakeBackend implements QueueBackend {
  readonly name = 'fake';
  readonly queues = [];
  available = true;
  readonly jobs = new Map<string, { name: string; data: unknown; attempt: number; at: number }>();
  private readonly handlers = new Map<string, JobHandler<never>>();
  private readonly listeners: (() => void)[] = [];

  queue<Data>(name: string): JobQueue<Data> {
    const add = (id: string, data: Data, delay = 0): Promise<void> => {
      if (!this.available) return Promise.reject(new Error('the queue is away'));
      if (!this.jobs.has(id)) this.jobs.set(id, { name, data: structuredClone(data), attempt: 0, at: delay });
      return Promise.resolve();
    };
    return {
      name,
      add,
      addAll: async (jobs) => {
        for (const job of jobs) await add(job.id, job.data, job.delay);
      },
      repeat: () => Promise.resolve(),
      promote: () => Promise.resolve(),
      remove: (id) => {
        this.jobs.delete(id);
        return Promise.resolve();
      },
      process: (_, handler) => {
        this.handlers.set(name, handler);
      },
      counts: () => Promise.resolve({ waiting: this.jobs.size, active: 0, delayed: 0 }),
    };
  }

  onAvailable(listener: () => void): void {
    this.listeners.push(listener);
  }

  readonly trouble = undefined;

  unfit(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  onUnavailable(): void {
    // Nothing in these tests listens for it.
  }

  comeBack(): void {
    this.available = true;
    for (const listener of this.listeners) listener();
  }

  /** Has what is due in the store put into the queue, as the repeated job does. */
  async look(): Promise<void> {
    await this.handlers.get('notification-store')?.({ look: true } as never, { id: 'look', attempt: 1 });
  }

  /** Runs every job once that is due at the time. */
  async run(now: number): Promise<void> {
    for (const [id, job] of [...this.jobs]) {
      const handler = this.handlers.get(job.name);
      if (job.at > now || handler === undefined) continue;
      job.attempt++;
      const result = await handler(job.data as never, { id, attempt: job.attempt });
      if (typeof result === 'string') this.jobs.delete(id);
      else job.at = result.again;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Takes mails and answers as it is told. */
export class CapturingTransport implements MailTransport {
  readonly name = 'smtp://capture:25';
  readonly mails: { readonly mail: NotificationMail; readonly bytes: Buffer }[] = [];
  answer: TransportResult['recipients'][number]['state'] = 'delivered';
  replyText = 'ok';

  async send(mail: NotificationMail): Promise<TransportResult> {
    const chunks: Buffer[] = [];
    for await (const chunk of mail.content.read()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== mail.content.size) throw new Error('the size is wrong');
    if (this.answer === 'delivered') this.mails.push({ mail, bytes });
    const code = { delivered: 250, refused: 550, deferred: 450 }[this.answer];
    const address = mail.recipients[0]?.address ?? '';
    return {
      recipients: [{ address, state: this.answer, reply: { code, text: this.replyText } }],
      hopFailed: false,
    };
  }
}
