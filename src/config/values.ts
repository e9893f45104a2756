import { z } from 'zod';
import { mailAddress } from './mail-names.js';
import { parseDuration, parseRate, parseSize, parseSpeed } from './units.js';

/** A value that is written as a text which `read` understands; what it does not is a problem that says how to write it. */
function written<S extends z.ZodType<string | number>, T>(
  input: S,
  {
    kind,
    name = `a ${kind}`,
    hint,
  }: { readonly kind: string; readonly name?: string; readonly hint: string | ((value: string | number) => string) },
  read: (text: string) => T | undefined,
) {
  return input
    .transform((value, context): T => {
      const text = String(value);
      const result = read(text);
      if (result !== undefined) return result;
      const message = `${JSON.stringify(value)} is not ${name}`;
      const params = { hint: typeof hint === 'string' ? hint : hint(value) };
      context.issues.push({ code: 'custom', input: value, message, params });
      return z.NEVER;
    })
    .meta({ kind });
}

/** Nobody waits longer for a mail that is collected, ms. */
const MAX_INTERVAL = 7 * 86_400_000;

function orOff<T>(read: (text: string) => T | undefined): (text: string) => T | 'off' | undefined {
  return (text) => (text.trim() === 'off' ? 'off' : read(text));
}

/** How to write a span of time, as much as possible in place of `value`. */
function spanHint(value: string | number): string {
  const text = String(value).trim();
  return `write it as ${/^\d{1,9}$/.test(text) ? `${text}s` : '90s'}, 15m, 4h or 3d`;
}

/** A span such as `15s`, in ms. */
export const duration = written(
  z.union([z.string(), z.number()]),
  { kind: 'span', name: 'a span of time', hint: spanHint },
  parseDuration,
);

/** A span, or `off`. */
export const durationOrOff = written(
  z.union([z.string(), z.number()]),
  { kind: 'span', name: 'a span of time', hint: (value) => `${spanHint(value)}, or off` },
  orOff(parseDuration),
);

/** Minutes as a bare number, or a span such as `90s`, in ms. */
export const interval = written(
  z.union([z.string(), z.number().nonnegative()]),
  { kind: 'interval', name: 'an interval', hint: 'write it as minutes, such as 15, or as a span, such as 90s or 1h' },
  (text) => {
    const ms = /^\d{1,9}(\.\d{1,3})?$/.test(text.trim()) ? Number(text) * 60_000 : parseDuration(text);
    return ms === undefined ? undefined : Math.round(ms);
  },
).refine((ms) => ms <= MAX_INTERVAL, 'must be at most 7d');

/** A size such as `50MiB`, in bytes. */
export const size = written(
  z.union([z.string(), z.int().nonnegative()]),
  { kind: 'size', hint: 'write it as 500KB, 50MiB or 1GB; a bare number is bytes' },
  parseSize,
);

/** A rate such as `60/m`, or `off`. */
export const rate = written(
  z.string(),
  { kind: 'rate', hint: 'write it as 60/m, 1000/h or 5/10s, or off' },
  orOff(parseRate),
);

/** Bytes a second such as `1KiB/s`, or `off`. */
export const speed = written(
  z.string(),
  { kind: 'speed', hint: 'write it as 1KiB/s or 500B/s, or off' },
  orOff(parseSpeed),
);

/** A time such as `06:30`, in minutes after midnight. */
export const timeOfDay = written(
  z.string(),
  { kind: 'time of day', hint: 'write it as "00:00" or "06:30"' },
  (text) => {
    const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
    const [hours, minutes] = [Number(match?.[1]), Number(match?.[2])];
    return match !== null && hours < 24 && minutes < 60 ? hours * 60 + minutes : undefined;
  },
);

export const count = z.int().min(1, 'must be at least 1');

/** A whole number from 1 to `max`. */
export function upTo(max: number) {
  const range = `must be from 1 to ${max}`;
  return z.int().min(1, range).max(max, range);
}

/** One value may stand where a list is expected. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), item.transform((value) => [value])]).transform((value) => value as z.output<T>[]);
}

export const strings = listOf(z.string());
export const addresses = listOf(mailAddress);

/** `127.0.0.1:2525`, `[::1]:2525`, with `tls://` for implicit TLS. Port 0 lets the system choose. */
export const listenAddress = z.string().transform((text, context) => {
  const match = /^(tls:\/\/)?(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[4]);
  if (match === null || port > 65535) {
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not an address to listen on`,
      params: { hint: 'write it as 127.0.0.1:2525, [::1]:2525 or tls://0.0.0.0:465' },
    });
    return z.NEVER;
  }
  return { host: match[2] ?? match[3] ?? '', port, implicitTls: match[1] !== undefined };
});

export const plainAddress = listenAddress.refine(({ implicitTls }) => !implicitTls, {
  message: 'metrics and health are served without TLS',
  params: { hint: 'write it as 127.0.0.1:8025, and put a proxy in front where others may listen in' },
});

export const nextHop = z.string().refine((text) => /^(maildir:.+|smtps?:\/\/[^\s/]+.*)$/.test(text), {
  message: 'not a next hop',
  params: { hint: 'write it as maildir:./folder, smtp://host:25 or smtps://user:password@host:465' },
});

export const timezone = z.string().refine(
  (zone) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  },
  { message: 'not a time zone', params: { hint: 'write it as in Europe/Berlin or UTC' } },
);
