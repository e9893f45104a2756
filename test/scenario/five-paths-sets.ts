import { makeMail } from '../support/mail.js';
import { makeZip } from '../support/zip.js';

/** Reports what the field X-Marker says: `status`, `status name` or `status name object`, several with `;` between. */
export const MARKER = `export default ({ z }) => ({
  settings: z.strictObject({}),
  statuses: ['malicious', 'suspicious'],
  create: () => ({
    inspect: ({ message }) =>
      Promise.resolve(
        message.header('x-marker').flatMap((value) => value.split(';')).map((text) => {
          const [status, name, object] = text.trim().split(' ');
          return { status, ...(name === undefined ? {} : { name }), ...(object === undefined ? {} : { object }) };
        }),
      ),
  }),
});
`;

export interface Sample {
  readonly name: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
}

const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', 'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('-');

const text = (head: string, body = 'Hello'): Buffer =>
  Buffer.from(`${head}\n\n${body}\n`.replace(/\n/g, '\r\n'), 'utf8');

const sample = (
  name: string,
  bytes: Buffer,
  recipients: readonly string[] = ['b@example.org'],
  sender = 'a@partner.example',
): Sample => ({ name, sender, recipients, bytes: Buffer.concat([Buffer.from(`X-Sample: ${name}\r\n`), bytes]) });

const HEAD = 'From: A <a@partner.example>\nTo: b@example.org\nMessage-ID: <1@partner.example>';

export const SAMPLES: readonly Sample[] = [
  sample('plain', text(`${HEAD}\nSubject: Minutes`), ['b@example.org', 'finance@example.org']),
  sample(
    'virus',
    makeMail('see', [{ name: 'a.zip', bytes: makeZip([{ name: 'x/eicar.com', bytes: Buffer.from(EICAR) }]) }]),
  ),
  sample(
    'program',
    makeMail('see', [
      { name: 'setup.exe', bytes: Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200, 1)]) },
      { name: 'notes.txt', bytes: Buffer.from('notes') },
    ]),
    ['b@example.org', 'finance@example.org'],
  ),
  sample(
    'encrypted',
    makeMail('see', [
      { name: 'p.zip', bytes: makeZip([{ name: 'x.doc', bytes: Buffer.from('secret'), encrypted: true }]) },
    ]),
  ),
  sample('two-senders', text(`From: x@y.example\n${HEAD}\nSubject: Two`)),
  sample('link', text(`${HEAD}\nSubject: Link`, 'Look at http://login.bad.example/x now')),
  sample('marked', text(`${HEAD}\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nX-Old: 1\nX-Marker: suspicious Odd.Thing`), [
    'finance@example.org',
    'b@example.org',
  ]),
  sample('failed', text(`${HEAD}\nSubject: Failed\nX-Marker: error`)),
  sample(
    'international',
    text('From: <x@xn--mnchen-3ya.example>\nTo: b@example.org\nSubject: IDN'),
    ['b@example.org'],
    'x@xn--mnchen-3ya.example',
  ),
  sample(
    'bounce',
    text('From: MAILER-DAEMON@x.example\nSubject: failed\nAuto-Submitted: auto-replied\nX-Marker: malicious'),
    ['b@example.org'],
    '',
  ),
  sample(
    'insider',
    text('From: c@example.org\nTo: b@example.org\nSubject: Secret project\nX-Marker: malicious T.1'),
    ['b@example.org', 'other@outside.example'],
    'c@example.org',
  ),
  sample(
    'list',
    text(
      `${HEAD}\nSubject: News\nList-Id: <l.partner.example>\nPrecedence: bulk\nX-Marker: suspicious`,
      'Unsubscribe at any time',
    ),
    ['b@example.org', 'boss@example.org'],
  ),
];

/** Rule sets that between them use most of the language. */
export const SETS: Readonly<Record<string, string>> = {
  responses: `rules:
  - id: watching
    mode: audit
    match: { recipient: "*@example.org" }
    on: { malware: { action: discard, tag: "[A]" }, external: { suspicious: { action: reject, quarantine: true } } }
  - id: inbound
    match: { recipient: "@our-domains" }
    on:
      malware: { action: reject, quarantine: true, notify: [general, recipients], reply: { code: 554, text: "No viruses here" } }
      encrypted: { tag: "[Encrypted]", quarantine: true, notify: { recipients: { template: rule-recipients, attach: headers } } }
      anomaly: { action: reject, notify: [general] }
      malicious-link: { tag: "[Link]", warn: malicious-link }
      scan-error: { action: deliver, tag: "[Unchecked]", headers: { add: { X-Unchecked: "yes" } } }
      external:
        malicious: [ { name: "T.*", action: discard, quarantine: true, notify: [sender, additional] }, { action: reject } ]
        suspicious: { tag: "[Odd]", headers: { set: { X-Odd: "1" }, remove: [X-Old] }, notify: [additional] }
      content:
        - id: programs
          name: Program files
          when: { any: [ { attachment.type: executable }, { attachment.extension: [exe, com] } ] }
          action: delete-attachment
          quarantine: true
          notify: [recipients]
    notify: { additional: [soc@example.org, b@example.org] }
`,
  scopes: `rules:
  - { id: bounces, match: { sender: "<>" }, process: reject, reply: { text: "No bounces" } }
  - { id: umlauts, match: { sender: "*@münchen.example" }, on: { content: [ { id: all, when: { size: { over: 0 } }, tag: "[IDN]" } ] } }
  - { id: money, match: { recipient: finance@example.org, when: { all: [ { not: { subject: "*gr?ße*" } }, { attachments.count: { under: 1 } } ] } }, process: discard }
  - id: lists
    match: { recipient: ["boss@*", "@helpers"], when: { header.list-id: { exists: true } } }
    on: { external: { suspicious: { action: reject, notify: [sender, general] } } }
  - { id: secret, match: { sender: "*@example.org", client: 127.0.0.0/8, authenticated: false, when: { subject: { contains: secret } }, except: { recipient: "*@example.org" } }, process: reject }
  - { id: files, match: { when: { attachment.name: "*.exe", attachment.depth: 0 } }, process: skip }
  - id: either
    match: { sender: "x@y.example", senderIs: either }
    on: { anomaly: { name: "duplicate-*", tag: "[Twice]", notify: [general] } }
  - id: rest
    match: { except: { sender: "*@münchen.example" } }
    scan: { marker: false, signatures: false }
    on: { encrypted: { action: defer }, malware: { action: reject }, malicious-link: { action: reject, reply: { text: Bad link } }, anomaly: { action: deliver } }
`,
  changes: `rules:
  - id: forwarded
    match: { recipient: boss@example.org }
    on: { content: [ { id: all, when: { size: { between: [1, 10MB] } }, redirect: [deputy@example.org], copy: [archive@example.org], tag: "[For boss]" } ] }
  - id: changed
    match: { recipient: ["b@example.org", "finance@example.org"] }
    scan: { antispam: { spam: 50 } }
    on:
      content:
        - { id: first, when: { subject: "*" }, tag: "[1]", warn: malicious-link, headers: { set: { X-N: one } } }
        - { id: found, when: { finding: ["external.suspicious", "macro"] }, tag: "[2]", headers: { set: { X-N: two }, add: { X-L: [a, b] } }, notify: { general: rule-general } }
        - { id: infected, when: { any: [ { finding: "antivirus.*" }, { finding: "signatures.infected" } ] }, action: delete-attachment, quarantine: true, notify: [general, recipients, sender] }
        - { id: words, when: { body: "*unsubscribe*" }, disclaimer: disclaimer }
        - { id: finance, when: { recipient: finance@*, attachment.extension: exe }, action: delete-attachment }
      anomaly: { copy: [archive@example.org], action: discard }
      scan-error: { action: defer, reply: { text: "Checked later" } }
`,
};
