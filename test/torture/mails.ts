import { seeded, type Random } from './random.js';

/** What a rule, or the next hop, does with mail for an address. */
export interface Fate {
  /** The next hop gets it. */
  readonly delivered: boolean;
  readonly quarantined?: boolean;
  /** The sender is told by a DSN when the message is accepted for others. */
  readonly bounced?: boolean;
  /** The bytes are changed. */
  readonly changed?: boolean;
  /** A blind copy goes to `ARCHIVE`. */
  readonly copied?: boolean;
  readonly notified?: readonly ('general' | 'sender' | 'recipients' | 'additional')[];
}

export const SENDER = 'sender@example.org';
export const GENERAL = 'general@example.org';
export const ADDITIONAL = 'additional@example.org';
export const ARCHIVE = 'archive@example.org';
export const TAG = '[Torture]';

/** By local part; each has a rule of its own, only `bad` is refused by the next hop. */
export const FATES: Readonly<Record<string, Fate>> = {
  plain: { delivered: true },
  other: { delivered: true },
  tagged: { delivered: true, changed: true },
  kept: { delivered: false, quarantined: true },
  both: { delivered: true, quarantined: true },
  gone: { delivered: false },
  no: { delivered: false, bounced: true },
  bad: { delivered: false, bounced: true },
  copied: { delivered: true, copied: true },
  told: { delivered: true, notified: ['general', 'sender', 'recipients', 'additional'] },
  secret: { delivered: false, quarantined: true, notified: ['general', 'additional'] },
};

const rule = (name: string, response: string, more = ''): string => `  - id: ${name}
    match: { recipient: [${name}@example.org] }
    on: { content: [ { id: all, when: { size: { over: 0 } }, ${response} } ] }
${more}`;

export const RULES = `rules:
${rule('tagged', `tag: "${TAG}", warn: external-sender, disclaimer: disclaimer`)}${rule('kept', 'action: discard, quarantine: true')}${rule('both', 'quarantine: true')}  - id: gone
    match: { recipient: [gone@example.org] }
    process: discard
  - id: no
    match: { recipient: [no@example.org] }
    process: reject
${rule('copied', `copy: [${ARCHIVE}]`)}${rule('told', 'notify: [general, sender, recipients, additional]', `    notify: { additional: [${ADDITIONAL}] }\n`)}${rule('secret', 'action: discard, quarantine: true, notify: [general, additional]', `    notify: { additional: [${ADDITIONAL}] }\n`)}  - id: rest
    match: {}
    process: skip
`;

export interface TortureMail {
  readonly number: number;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
}

const NAMES = Object.keys(FATES) as [string, ...string[]];

/** The mail of a number, always the same for a seed. */
export function mailOf(seed: number, number: number): TortureMail {
  const random = seeded(Math.imul(seed ^ 0x9e3779b9, 2 * number + 1));
  const names = new Set<string>();
  for (let count = random.pick([1, 1, 2, 2, 3, 4]); names.size < count;) names.add(random.pick(NAMES));
  const recipients = [...names].map((name) => `${name}@example.org`);
  return { number, recipients, bytes: bytesOf(number, sizeOf(random), random) };
}

/** Most are small; some lie in files already while they come in. */
function sizeOf(random: Random): number {
  if (random.chance(0.04)) return random.between(530_000, 700_000);
  return random.chance(0.2) ? random.between(20_000, 60_000) : random.between(100, 4000);
}

function bytesOf(number: number, size: number, random: Random): Buffer {
  const line = (): string =>
    `${random.chance(0.05) ? '.' : ''}${Math.floor(random() * 2 ** 40).toString(36)} `.repeat(6);
  const text: string[] = [];
  const pattern = Array.from({ length: 50 }, line);
  for (let length = 0, i = 0; length < size; i++) {
    const one = `${i} ${pattern[i % pattern.length] ?? ''}`;
    text.push(i % 7 === 0 ? `.${one}` : one);
    length += one.length + 2;
  }
  const head = [
    `X-Torture: ${number}`,
    `From: ${SENDER}`,
    'To: people@example.org',
    `Subject: number ${number}`,
    `Message-ID: <${number}@torture.example.org>`,
    'Date: Sat, 21 Nov 2026 12:00:00 +0000',
    'Content-Type: text/plain',
  ];
  return Buffer.from([...head, '', `begin ${number}`, ...text, `end ${number}`, ''].join('\r\n'));
}
