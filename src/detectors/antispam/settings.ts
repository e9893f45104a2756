import { z } from 'zod';
import { size } from '../../config/values.js';
import { parseEndpoint } from './endpoint.js';

/** What SpamAssassin is commonly given; more of a message costs it seconds and tells it little. */
const SPAMD_SIZE = 512 * 1024;
/** The `max_message` that rspamd comes with. */
const RSPAMD_SIZE = 50 * 1024 * 1024;

const DEFAULTS = { spam: 8, probableSpam: 5, bulk: 3 } as const;

/** A header value must not break out of its line. */
const headerWord = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'only printable ASCII characters without spaces');

const rspamdUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const good = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (!good)
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not the address of rspamd`,
      params: { hint: 'write it as http://127.0.0.1:11333' },
    });
  return url !== undefined && good ? url.href.replace(/\/+$/, '') : z.NEVER;
});

const spamdAddress = z.string().transform((text, context) => {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined)
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not the address of spamd`,
      params: { hint: 'write it as tcp://127.0.0.1:783 or unix:///run/spamd.sock' },
    });
  return endpoint ?? z.NEVER;
});

const score = z.number().min(-1000).max(1000);

export const settings = z
  .strictObject({
    rspamd: rspamdUrl.optional().describe('address of rspamd, such as http://127.0.0.1:11333'),
    password: headerWord.optional().describe('password of rspamd'),
    spamd: spamdAddress.optional().describe("address of SpamAssassin's spamd: tcp://HOST:PORT or unix:///PATH"),
    user: headerWord.default('nobody').describe('user whose preferences spamd applies'),
    maxSize: size.optional().describe('what an engine is given: default 50MiB for rspamd, 512KiB for spamd'),
    spam: score.optional().describe('score from which on a message is spam; default 8'),
    probableSpam: score.optional().describe('score from which on it is probably spam; default 5'),
    bulk: score.optional().describe('score from which on mass mail is bulk; default 3'),
  })
  .check((check) => {
    const { rspamd, spamd, password, spam, probableSpam } = check.value;
    const complain = (key: string, message: string): void => {
      check.issues.push({ code: 'custom', input: check.value, path: [key], message });
    };
    if (rspamd !== undefined && spamd !== undefined)
      complain('spamd', 'there is one engine: name `rspamd` or `spamd`, not both');
    if (password !== undefined && rspamd === undefined) complain('password', '`password` is that of `rspamd`');
    if (spam !== undefined && probableSpam !== undefined && probableSpam >= spam)
      complain('probableSpam', '`probableSpam` must be less than `spam`');
  });

export type Settings = z.output<typeof settings>;

/** Bytes of a message that the configured engine is given. */
export function sizeLimit(given: Settings): number {
  return given.maxSize ?? (given.spamd === undefined ? RSPAMD_SIZE : SPAMD_SIZE);
}

/** Scores from which on a message belongs to a class. */
export interface Thresholds {
  readonly spam: number;
  readonly probableSpam: number;
  readonly bulk: number;
}

/** The configured thresholds, for rules that set none. */
export function thresholdsOf({ spam, probableSpam, bulk }: Pick<Settings, keyof Thresholds>): Thresholds {
  return {
    spam: spam ?? DEFAULTS.spam,
    probableSpam: probableSpam ?? DEFAULTS.probableSpam,
    bulk: bulk ?? DEFAULTS.bulk,
  };
}
