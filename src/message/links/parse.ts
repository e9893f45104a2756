/** Where an address leads. */
export interface Target {
  /** As a browser would write it; an address that it could not follow stands as it was given. */
  readonly url: string;
  /** Host in lower case, international names in their ASCII form; empty where there is none. */
  readonly domain: string;
}

const MAX_ADDRESS = 8192;
/** Characters of an address whose scheme leads nowhere in the network. */
const MAX_OTHER = 2048;

/** Schemes whose addresses have a host that browsers read leniently (WHATWG URL, special schemes). */
const WEB: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'ws', 'wss']);
/** Schemes that lead to no place in the network, and are in ordinary mail. */
const HARMLESS: ReadonlySet<string> = new Set(
  'mailto tel sms cid mid about callto sip sips xmpp geo facetime skype'.split(' '),
);

/** Characters that nobody sees, and that some clients take out of an address. */
const INVISIBLE = /[\u00ad\u034f\u115f\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/g;

/**
 * Reads an address as browsers and mail clients do: tabs and line ends inside, backslashes, odd forms of IP addresses,
 * percent-encoded and international hosts, a missing scheme.
 * @param raw with references of HTML decoded
 * @param base address that relative ones count from, where the document names one
 * @returns undefined for what leads nowhere: relative addresses, mailto: and the like
 */
export function parseTarget(raw: string, base?: string): Target | undefined {
  const cleaned = trimControls(raw.length > MAX_ADDRESS ? raw.slice(0, MAX_ADDRESS) : raw);
  if (cleaned === '' || cleaned.startsWith('#')) return undefined;
  const found = parseCleaned(cleaned, base);
  if (found !== undefined && found.domain !== '') return found;
  const visible = cleaned.replace(INVISIBLE, '');
  return visible === cleaned ? found : (parseCleaned(visible, base) ?? found);
}

function parseCleaned(text: string, base: string | undefined): Target | undefined {
  const scheme = schemeOf(text);
  if (scheme !== undefined) {
    if (HARMLESS.has(scheme)) return undefined;
    if (!WEB.has(scheme)) return other(scheme, text);
    return web(text, base) ?? { url: text.slice(0, MAX_OTHER), domain: '' };
  }
  if (/^[\\/]{2}/.test(text)) return web(`https:${text}`, undefined);
  if (/^https?%3a/i.test(text)) return web(decodeLeniently(text), undefined);
  if (base !== undefined) return web(text, base);
  return isHostLike(text) ? web(`http://${text}`, undefined) : undefined;
}

function web(text: string, base: string | undefined): Target | undefined {
  const parsed = parseUrl(text, base);
  return parsed === undefined ? undefined : { url: parsed.href, domain: hostOf(parsed) };
}

/** The address as the platform reads it, or undefined. */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Host without brackets and final dots. */
export function hostOf(url: URL): string {
  const { hostname } = url;
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return hostname.endsWith('.') ? hostname.replace(/\.+$/, '') : hostname;
}

/** Schemes that open the address behind them, in a browser or a program of Office. */
const WRAPPER =
  /^(?:view-source|microsoft-edge|feed|ms-(?:word|excel|powerpoint|visio|access|project|publisher|infopath)|x-safari)[:-][^]{0,64}?(https?:\/\/[^|]*)/i;

/** data:, javascript:, file: and what else programs register. */
function other(scheme: string, text: string): Target {
  const url = `${scheme}${text.slice(scheme.length, MAX_OTHER)}`;
  if (scheme === 'file') {
    const parsed = parseUrl(shareOf(text) ?? text);
    return { url: parsed?.href ?? url, domain: parsed === undefined ? '' : hostOf(parsed) };
  }
  const inner = WRAPPER.exec(text)?.[1];
  return { url, domain: inner === undefined ? '' : (web(inner, undefined)?.domain ?? '') };
}

/**
 * A file of another machine as the platform takes it: programs of Windows make a path of the network of
 * `file:////host/x`, `file:///\\host\x`, `file://host@80/x` and `file:////?/UNC/host/x`.
 */
function shareOf(text: string): string | undefined {
  const found =
    /^file:(?:[\\/]{4,}(?:[?.][\\/]+unc[\\/]+)?|[\\/]{2})([^\\/@?#]{1,253})(?:@(?:ssl|\d{1,5})){0,2}(?=[\\/?#]|$)/i.exec(
      text,
    );
  return found === null ? undefined : `file://${found[1] ?? ''}${text.slice(found[0].length)}`;
}

/** In lower case; `example.org:8080` has none. */
function schemeOf(text: string): string | undefined {
  const match = /^([a-z][a-z0-9+.-]{0,39}):/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  if (scheme === undefined || WEB.has(scheme)) return scheme;
  return (scheme.includes('.') || scheme === 'localhost') && /^\d/.test(text.slice(scheme.length + 1))
    ? undefined
    : scheme;
}

/** `www.example.org/x`: relative for a browser, an address for most mail clients. */
function isHostLike(text: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*(?:\.[\p{L}\p{M}\p{N}_-]+)+(?:[:/?#\\]|$)/u.test(text.slice(0, 260));
}

/** White space and controls around, tabs and line ends anywhere (WHATWG URL 4.4). */
function trimControls(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  const inner = start === 0 && end === text.length ? text : text.slice(start, end);
  return /[\t\n\r]/.test(inner) ? inner.replace(/[\t\n\r]/g, '') : inner;
}

/** Percent-decoding that leaves alone what is not well formed. */
export function decodeLeniently(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    return bytes.toString('utf8');
  });
}
