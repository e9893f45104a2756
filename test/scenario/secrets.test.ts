import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { check } from '../../src/cli/check.js';
import { events } from '../../src/cli/events.js';
import { listNodes } from '../../src/cli/nodes.js';
import { listNotifications } from '../../src/cli/notifications.js';
import { notifyTest } from '../../src/cli/notify-test.js';
import { listQuarantine } from '../../src/cli/quarantine-list.js';
import { showQueue } from '../../src/cli/queue-show.js';
import { listQueue } from '../../src/cli/queue.js';
import { listRules } from '../../src/cli/rules.js';
import { status } from '../../src/cli/status.js';
import { trace } from '../../src/cli/trace.js';
import { Client } from '../smtp/harness.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { printedBy } from '../support/in-process.js';

/** Stands in each secret, with a number; none of the program's words has it. */
const SECRET = /qx7zv\d*/i;
let count = 0;
const secret = (): string => `qX7zV${(count += 1)}`;

const closing: (() => Promise<unknown>)[] = [];
let site: Site;
let gateway: RunningGateway;
const ids: string[] = [];
let pages = '';

/** A configuration in which each key that holds a secret holds one, and whose servers are all away but the next hop. */
function settings(hop: number, dead: number): string {
  return `domains: [example.org]
smtp: { listen: ["127.0.0.1:0"] }
http: { listen: "127.0.0.1:0" }
delivery:
  nextHop: "smtp://user:${secret()}@127.0.0.1:${hop}?tls=off"
  routes: { other.example: "smtp://user:${secret()}@127.0.0.1:${dead}?tls=off" }
notifications:
  server: "smtp://user:${secret()}@127.0.0.1:${dead}?tls=off"
  general: [security@example.org]
  webhooks:
    - url: "http://user:${secret()}@127.0.0.1:${dead}/hook/${'a'.repeat(20)}${secret()}?token=${secret()}"
      secret: ${secret()}
queue: "redis://user:${secret()}@127.0.0.1:${dead}/0"
store: "postgres://user:${secret()}@127.0.0.1:${dead}/gatepost"
telemetry: { otlp: "http://127.0.0.1:${dead}/v1/traces?key=${secret()}" }
directory:
  url: "ldap://127.0.0.1:${dead}"
  bind: { dn: "cn=reader,dc=example,dc=org", password: "${secret()}" }
  base: "dc=example,dc=org"
  groups: { staff: "cn=staff,dc=example,dc=org" }
detectors:
  content: {}
  antispam: { rspamd: "http://127.0.0.1:${dead}", password: ${secret()}, onError: accept }
  external: { url: "http://127.0.0.1:${dead}/verdict", secret: ${secret()}, token: ${secret()}, onError: accept }
`;
}

const RULES = (): string => `rules:
  - id: routed
    match: { sender: ["routed@*"] }
    on: { scan-error: { action: deliver, route: "smtp://user:${secret()}@127.0.0.1:1?tls=off", notify: [general] } }
  - id: all
    match: { recipient: ["*"] }
    on: { scan-error: { action: deliver, notify: [general] } }
`;

const ready = z.object({ msg: z.literal('ready'), pages: z.array(z.object({ port: z.number() })) });

async function send(sender: string, recipient: string): Promise<void> {
  const client = await Client.connect(gateway.port);
  await client.hello();
  const reply = await client.send('Subject: x\r\n\r\nx', [recipient], sender);
  ids.push(/queued as (\w{26})/.exec(reply)?.[1] ?? reply);
}

beforeAll(async () => {
  const hop = await startFakeSmtp({
    extensions: ['AUTH PLAIN LOGIN', 'PIPELINING'],
    script: { rcpt: '450 4.2.1 later' },
  });
  site = await makeSite(settings(hop.port, await freePort()), { 'rules/10-all.yaml': RULES() });
  closing.push(
    () => hop.close(),
    () => site.remove(),
  );
  gateway = await startGatewayProcess(site);
  closing.push(() => gateway.stop());
  const said = gateway.log.map((line) => ready.safeParse(JSON.parse(line))).find(({ success }) => success);
  pages = `http://127.0.0.1:${said?.data?.pages[0]?.port ?? 0}`;
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

describe('no secret of the configuration is shown', () => {
  it('by any command, page or line of the log', async () => {
    await send('a@partner.example', 'b@example.org');
    await send('a@partner.example', 'b@other.example');
    await send('routed@partner.example', 'b@example.org');
    expect(ids).toEqual(ids.map(() => expect.stringMatching(/^\w{26}$/) as unknown));
    const { config } = site;
    const [, , routed = ''] = ids;
    await expect
      .poll(async () => (await printedBy(() => listQueue({ config, json: true }))).stdout.match(/"id":/g)?.length)
      .toBe(3);
    const commands: Record<string, (json: boolean) => Promise<void>> = {
      check: (json) => check({ config, json }),
      rules: (json) => listRules({ config, json }),
      status: (json) => status({ config, json }),
      'queue list': (json) => listQueue({ config, json }),
      'queue show': (json) => showQueue(routed, { config, json }),
      trace: (json) => trace(routed, { config, json }),
      'quarantine list': (json) => listQuarantine({ config, json }),
      'notifications list': (json) => listNotifications({ config, json }),
      events: (json) => events({ config, json }),
      nodes: (json) => listNodes({ config, json }),
      'notify-test': (json) => notifyTest('c@example.org', { config, json, webhooks: true }),
    };
    for (const [name, run] of Object.entries(commands))
      for (const json of [false, true]) {
        const { stdout, stderr, error } = await printedBy(() => run(json));
        const all = `${stdout}${stderr}${error}`;
        expect({ name, found: SECRET.exec(all)?.[0], silent: all === '' }).toEqual({
          name,
          found: undefined,
          silent: false,
        });
      }
    const mail = path.join(site.folder, 'mail.eml');
    await writeFile(mail, 'Subject: x\r\n\r\nx\r\n');
    const { stdout, stderr } = await runGatepost([
      ...[
        'explain',
        mail,
        '--sender',
        'routed@x.example',
        '--recipient',
        'b@example.org',
        '--json',
        '--config',
        config,
      ],
    ]);
    expect(stdout).toContain('smtp://***@127.0.0.1:1');
    expect(SECRET.exec(`${stdout}${stderr}`)).toBeNull();
    for (const page of ['healthz', 'readyz', 'metrics', 'nothing'])
      expect(SECRET.exec(await (await fetch(`${pages}/${page}`)).text())).toBeNull();
    expect(SECRET.exec(gateway.log.join('\n'))).toBeNull();
  });

  it('when the settings are wrong, by check, by a reload that is refused, and by a start', async () => {
    const good = settings(1, 2);
    const wrong: Record<string, string> = {
      'unknown key beside': 'telemetry: { otlp: "http://u:qx7zv1@h/", key: 1 }',
      'no text': 'directory: { url: "ldap://h", bind: { dn: x, password: 7712 }, base: "dc=x", groups: [] }'.replace(
        '7712',
        '[qx7zv2]',
      ),
      'a number': 'notifications: { webhooks: [ { url: "https://h/", secret: 0xqx7zv3, kinds: [rul] } ] }',
      'a bad address': 'notifications: { webhooks: [ { url: "ftp://u:qx7zv4@h/", secret: "x" } ] }',
      'the same twice':
        'notifications: { webhooks: [ { url: "https://u:qx7zv5@h/", secret: "a" }, { url: "https://u:qx7zv5@h/", secret: "b" } ] }',
      'a slash in a password': 'queue: "redis://:qx7zv6/x@host"',
      'a redis parameter': 'queue: "redis+sentinel://h/m?sentinelPassword=qx7zv7&hint=1"',
      'no address of a hop': 'delivery: { nextHop: "smtps://u:qx7zv8@h:99999" }',
      'a path in a hop': 'delivery: { nextHop: "smtp://u:qx7zv9@h/x" }',
      'a percent sign': 'delivery: { routes: { a.example: "smtp://u:qx7zv10%@h" } }',
      'no store': 'store: "mysql://u:qx7zv11@h/db"',
      'an ldap account': 'directory: { url: "ldap://u:qx7zv12@h", base: "dc=x", groups: [] }',
      'rspamd with an account': 'detectors: { antispam: { rspamd: "http://u:qx7zv13@h", password: qx7zv14 } }',
      'a password with a space': 'detectors: { antispam: { rspamd: "http://h", password: "qx7zv15 x" } }',
      'a password without an engine': 'detectors: { antispam: { password: qx7zv16 } }',
      'an alias': 'directory: { bind: { password: *qx7zv17 } }',
      'a reserved character': 'directory: { bind: { password: @qx7zv18 } }',
      'a quote that is open': 'directory: { bind: { dn: x, password: "qx7zv19 } }',
      'an external with an account': 'detectors: { external: { url: "http://u:qx7zv20@h", token: "qx7zv21 x" } }',
      'a module that is none': 'detectors: { "./mine.js": { module: ./mine.js, apiKey: qx7zv22, password: qx7zv23 } }',
      'otlp with an account': 'telemetry: { otlp: "https://u:qx7zv24@h/" }',
    };
    const file = path.join(site.folder, 'wrong.yaml');
    const { config } = site;
    for (const [name, text] of Object.entries(wrong)) {
      await writeFile(file, `domains: [example.org]\n${text}\n`);
      // As JSON they are said with all that stands in the text.
      const { stdout, stderr, error } = await printedBy(() => check({ config: file, json: true }));
      const all = `${stdout}${stderr}${error}`;
      expect({ name, found: SECRET.exec(all)?.[0], wrong: all.includes('error') }).toEqual({
        name,
        found: undefined,
        wrong: true,
      });
    }
    await writeFile(config, `${good}${wrong['a path in a hop'] ?? ''}\n`);
    gateway.process.kill('SIGHUP');
    await expect.poll(() => gateway.log.some((line) => line.includes('settings are not applied'))).toBe(true);
    expect(SECRET.exec(gateway.log.join('\n'))).toBeNull();
    const { stdout, stderr } = await runGatepost(['start', '--config', file]);
    expect(stderr + stdout).toContain('error');
    expect(SECRET.exec(stderr + stdout)).toBeNull();
  });
});
