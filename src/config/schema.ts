import path from 'node:path';
import { z } from 'zod';
import { domainName, namedAddress } from './mail-names.js';
import { charset } from './schema-charset.js';
import { parseRedisUrl, REDIS_URL_HINT } from './redis-url.js';
import { directorySchema } from './schema-directory.js';
import { telemetrySchema } from './schema-telemetry.js';
import { webhookSchema } from './schema-webhooks.js';
import {
  addresses,
  count,
  duration,
  durationOrOff,
  interval,
  listOf,
  listenAddress,
  nextHop,
  plainAddress,
  rate,
  size,
  speed,
  strings,
  timeOfDay,
  timezone,
  upTo,
} from './values.js';

const scan = z.strictObject({
  threads: z
    .union([z.literal('auto'), upTo(64)])
    .default('auto')
    .describe('worker threads that scan; auto is one for each core'),
  deadline: duration.prefault('60s').describe('wall-clock time for one message; a thread that is over it is ended'),
  maxDepth: upTo(100).default(16).describe('levels of multiparts, enclosed messages and archives, counted together'),
  maxParts: upTo(100_000).default(1000).describe('MIME parts of one message; more are an anomaly'),
  maxArchiveEntries: upTo(1_000_000)
    .default(10_000)
    .describe('entries of all archives of one message; more are a scan-error'),
  maxUnpacked: size.prefault('500MiB').describe('bytes that the archives of one message may unpack to'),
});

const smtp = z.strictObject({
  listen: listOf(listenAddress)
    .prefault(['127.0.0.1:2525'])
    .describe('addresses to take mail on; tls:// in front for implicit TLS'),
  processes: z
    .union([z.literal('auto'), upTo(32)])
    .default(1)
    .describe('gateway processes that share the addresses; auto is one for each core, at most 32'),
  hostname: z
    .string()
    .regex(/^[\w.-]+$/, 'not a host name')
    .optional()
    .describe(
      'our name in the greeting, in Received fields and in Authentication-Results; default: mx. and the first of domains',
    ),
  tls: z
    .strictObject({ cert: z.string(), key: z.string() })
    .optional()
    .describe('certificate and key files (PEM); offers STARTTLS'),
  maxMessageSize: size.prefault('50MiB').describe('larger ones are refused with 552 5.3.4'),
  maxRecipients: count.default(200).describe('of one message; more get 452 4.5.3'),
  maxConnections: count.default(1000).describe('sessions at a time, shared out among the processes; more get 421'),
  maxConnectionsPerClient: count.default(50).describe('for each process; trusted clients are not exempt'),
  lineEndings: z
    .enum(['normalize', 'reject'])
    .default('normalize')
    .describe('what becomes of bare CR, bare LF and NUL'),
  proxyProtocol: strings.default([]).describe('addresses that must speak the PROXY protocol (v1)'),
  xclient: strings.default([]).describe('addresses that may use XCLIENT'),
  auth: z
    .strictObject({ users: z.string().describe('file of name:scrypt-hash lines') })
    .optional()
    .describe('offered only under TLS'),
  rates: z
    .strictObject({
      connections: rate.prefault('off').describe('sessions that a client may begin, such as 60/m; more get 421'),
      messages: rate.prefault('off').describe('MAIL commands of a client, such as 100/h; more get 450'),
    })
    .prefault({})
    .describe('per client (an IPv6 client is its /64) and per gateway process; trusted clients are exempt'),
  minimumRate: speed
    .prefault('off')
    .describe('such as 1KiB/s, measured over each minute of DATA; slower clients get 421; trusted ones are exempt'),
  maxErrors: count.default(20).describe('bad commands of one session; then 421'),
  maxReceived: count.default(50).describe('Received fields; more are a loop'),
  timeouts: z
    .strictObject({
      command: duration.prefault('5m').describe('how long a client may say nothing'),
      data: duration.prefault('10m').describe('for the data of one message'),
      stop: duration.prefault('30s').describe('how long a stop waits for running sessions'),
    })
    .prefault({}),
});

const retry = z.strictObject({
  delays: listOf(duration).prefault(['1m', '5m', '15m', '30m', '1h']).describe('the last one repeats'),
  lifetime: duration.prefault('3d').describe('then the sender is told that it failed'),
  warnAfter: durationOrOff.prefault('4h').describe('then the sender is told, once, that it is delayed; or off'),
});

const delivery = z.strictObject({
  nextHop: listOf(nextHop)
    .prefault(['maildir:./data/inbox'])
    .describe('maildir:FOLDER or smtp://host:port; of several the first that takes connections'),
  routes: z.record(domainName, nextHop).default({}).describe('next hops of single recipient domains'),
  inlineTimeout: duration
    .prefault('15s')
    .describe('how long a client waits for the next hop before its mail is spooled'),
  retry: retry.prefault({}),
  bounce: z
    .enum(['unless-forged', 'internal', 'never'])
    .default('unless-forged')
    .describe('whose sender is told of a late failure'),
  spool: z
    .strictObject({
      maxSize: size.prefault('10GB').describe('of all waiting mail; then 452'),
      maxItems: count.default(1_000_000).describe('messages that may wait; then 452'),
      minFreeDisk: size.prefault('500MB').describe('below it mail is answered 452'),
    })
    .prefault({}),
  connections: upTo(1000).default(20).describe('for each next hop'),
});

/** A part of the configuration that belongs to a module; the module's own schema checks it. */
const detectors = z.record(
  z.string(),
  z.union([z.record(z.string(), z.unknown()), z.null().transform((): Record<string, unknown> => ({}))]),
);

const notifications = z.strictObject({
  from: namedAddress.optional().describe('default: Gatepost <gatepost@ the first of domains>'),
  server: nextHop.optional().describe('default: delivery.nextHop'),
  general: addresses.default([]).describe('the general list, for all rules'),
  external: z
    .enum(['never', 'authenticated', 'always'])
    .default('authenticated')
    .describe('whether people outside our domains are told'),
  messageId: z
    .enum(['body', 'subject', 'header', 'off'])
    .default('body')
    .describe('where a reader sees the unique message ID'),
  charset: charset
    .prefault('utf-8')
    .describe("charset of the mails' texts, subjects and names; what it lacks is transliterated or replaced"),
  quotedPrintable: z.boolean().default(true).describe('false: 8bit where the server offers 8BITMIME, else base64'),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'not a language tag')
    .default('en'),
  retry: z
    .strictObject({
      delays: listOf(duration).prefault(['1m', '5m', '15m', '1h']),
      lifetime: duration.prefault('2d'),
    })
    .prefault({}),
  admins: addresses.optional().describe('notices and events; default: postmaster@ the first of domains'),
  notices: z
    .strictObject({
      to: addresses.optional().describe('default: admins'),
      bounce: z.boolean().default(false).describe('a sender was told that mail could not be delivered'),
      'double-bounce': z.boolean().default(true).describe('nobody could be told that mail could not be delivered'),
      delay: z.boolean().default(false).describe('mail waits longer than delivery.retry.warnAfter'),
      policy: z.boolean().default(false).describe('a client was refused by policy, with the session'),
      protocol: z.boolean().default(false).describe('a client broke the protocol, with the session'),
      resource: z.boolean().default(true).describe('mail was refused for want of disk or memory'),
      software: z.boolean().default(true).describe('an internal failure'),
    })
    .prefault({})
    .describe('notices to the admins by class'),
  minSeverity: z
    .enum(['diagnostic', 'informative', 'warning', 'error', 'critical'])
    .default('warning')
    .describe('less severe notifications are not sent'),
  events: z
    .strictObject({
      enabled: z.boolean().default(true),
      at: timeOfDay.prefault('00:00').describe("time of the daily mail, in the node's zone"),
      changeInterval: duration.prefault('15m').describe('there is at most one mail about changes in that time'),
      recipients: listOf(
        z.strictObject({ to: addresses, language: z.string().optional().describe('default: notifications.language') }),
      )
        .optional()
        .describe('each set gets one mail; default: admins'),
    })
    .prefault({})
    .describe('mails about application events'),
  webhooks: z.array(webhookSchema).max(20).default([]).describe('programs that are told by HTTP'),
  rules: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
  interval: interval
    .prefault(0)
    .describe('minutes, or a span: what goes to general, additional and admins is collected for so long; 0: at once'),
  separate: z.boolean().default(true).describe('with an interval: each mail by itself, or all for an address in one'),
  rate: rate.prefault('60/h').describe('mails for one address; further ones are told in a summary'),
});

const someTime = duration.refine((ms) => ms > 0, 'must be more than nothing');

const retention = z.strictObject({
  journal: z
    .strictObject({
      age: someTime.prefault('90d').describe('messages, deliveries and notifications that are older go'),
    })
    .prefault({}),
  quarantine: z
    .strictObject({
      age: someTime.prefault('30d').describe('originals that are older go'),
      size: size
        .refine((bytes) => bytes > 0, 'must be more than nothing')
        .prefault('7GB')
        .describe('of all originals; beyond it the oldest go'),
    })
    .prefault({}),
});

/** How much is logged. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error']);

export const configSchema = z.strictObject({
  node: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,63}$/, 'letters, digits, dots, dashes')
        .optional()
        .describe('default: the host name'),
      address: z.string().optional().describe('address in notifications; default: the first of smtp.listen'),
      comment: z.string().default('').describe('where it stands, for people'),
      timezone: timezone.optional().describe('default: that of the system'),
    })
    .prefault({}),
  data: z.string().default('./data').describe('folder of the spool, the outbox and the embedded database'),
  smtp: smtp.prefault({}),
  domains: listOf(domainName).default(['example.org']).describe('recipient domains that we accept mail for'),
  trusted: strings.default(['127.0.0.0/8', '::1']).describe('clients that may relay to anywhere'),
  delivery: delivery.prefault({}),
  scan: scan.prefault({}),
  health: duration
    .refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'must be from 1s to 1h')
    .prefault('10s')
    .describe('time between checks of the engines behind detectors'),
  detectors: detectors.optional(),
  rules: z
    .string()
    .optional()
    .describe('folder of rule files; default: ./rules where there is one, else the shipped rules'),
  templates: z.string().optional().describe('folder of own templates; default: ./templates where there is one'),
  notifications: notifications.prefault({}),
  directory: directorySchema.optional().describe('groups of an LDAP directory, as lists for rules'),
  queue: z
    .string()
    .superRefine((text, context) => {
      if (text === 'embedded') return;
      const parsed = parseRedisUrl(text);
      if (!('error' in parsed)) return;
      const message = `neither \`embedded\` nor an address of Redis: ${parsed.error}`;
      context.addIssue({ code: 'custom', message, params: { hint: REDIS_URL_HINT } });
    })
    .default('embedded')
    .describe(
      'embedded is the PostgreSQL of the store; or Redis: redis://, rediss://, redis+sentinel://, redis+cluster://',
    ),
  store: z
    .string()
    .regex(/^(embedded|postgres(ql)?:\/\/\S+)$/, 'neither `embedded` nor a postgres:// address')
    .default('embedded'),
  retention: retention.prefault({}).describe('how long the store keeps what happened'),
  http: z
    .preprocess(
      (given) => (given === 'off' ? {} : given),
      z.strictObject({
        listen: z
          .union([z.literal('off').transform((): z.output<typeof listenAddress>[] => []), listOf(plainAddress)])
          .prefault('off')
          .describe('addresses that serve /metrics, /healthz and /readyz, such as 127.0.0.1:8025; or off'),
      }),
    )
    .prefault({})
    .describe('metrics and health, for machines; or off'),
  telemetry: telemetrySchema.prefault({}),
  log: z
    .strictObject({
      level: logLevel.default('info'),
      addresses: z.boolean().default(true).describe('whether addresses and subjects stand in the log'),
    })
    .prefault({}),
});

export type RawConfig = z.output<typeof configSchema>;

/** A path as written in the configuration, counted from its folder. */
export function resolveFrom(folder: string, file: string): string {
  return path.resolve(folder, file);
}
