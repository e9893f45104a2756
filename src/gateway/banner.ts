import { shownAddress } from '../config/listening.js';
import type { Config } from '../config/load.js';

export interface BannerFacts {
  readonly config: Config;
  /** How many rules are in force. */
  readonly rules: number;
  readonly addresses: readonly { readonly host: string; readonly port: number; readonly implicitTls: boolean }[];
  readonly queue: string;
  readonly store: string;
  /** Names of the next hops, without secrets. */
  readonly hops: readonly string[];
  readonly version: string;
}

/** What an operator sees first: where it listens, where it delivers, which rules, and what is not protected. */
export function banner(facts: BannerFacts): string {
  const { config } = facts;
  const rows: [string, string][] = [
    ['node', `${config.node.name}${config.node.comment === '' ? '' : ` (${config.node.comment})`}`],
    ['configuration', config.file ?? 'none: all defaults'],
    ['listens', facts.addresses.map((address) => shownAddress(address)).join(', ')],
    ['domains', config.domains.join(', ')],
    ['delivers', facts.hops.join(', then ')],
    ['rules', `${facts.rules} in ${config.rules}`],
    ['detectors', config.detectors.map((d) => d.name).join(', ') || 'none'],
    ['queue', facts.queue],
    ['store', facts.store],
  ];
  const width = Math.max(...rows.map(([key]) => key.length));
  const lines = [`Gatepost ${facts.version}`, ...rows.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`)];
  const gaps = notProtected(config);
  if (gaps.length > 0) lines.push('', '  Not protected:', ...gaps.map((gap) => `  - ${gap}`));
  return lines.join('\n');
}

/** What an admin may believe to be on and is not. */
export function notProtected(config: Config): string[] {
  const has = (name: string): boolean => config.detectors.some((d) => d.name === name);
  const gaps: string[] = [];
  if (!has('antivirus'))
    gaps.push(
      has('signatures')
        ? 'viruses: no engine is connected; only own signatures and the EICAR test file are known'
        : 'viruses: no module looks for them',
    );
  if (!has('content'))
    gaps.push('attachments: the module `content` is off, encrypted archives and macros are not reported');
  const antispam = config.detectors.find((d) => d.name === 'antispam');
  if (antispam === undefined) gaps.push('spam: no module looks for it');
  else if (!('rspamd' in antispam.settings) && !('spamd' in antispam.settings))
    gaps.push('spam: no engine is connected; only the embedded scorer looks for it');
  if (!has('links')) gaps.push('phishing: the module `links` is off');
  if (!has('authentication')) gaps.push('forged senders: SPF, DKIM and DMARC are not checked');
  if (config.smtp.tls === undefined)
    gaps.push('the way here: no certificate (`smtp.tls`), so mail arrives unencrypted');
  if (config.notifications.general.length === 0) gaps.push('nobody is told: `notifications.general` is empty');
  const wide = config.trusted.filter((n) => n.endsWith('/0'));
  if (wide.length > 0) gaps.push(`relaying: \`trusted\` holds ${wide.join(', ')}: anyone may send to anywhere`);
  return gaps;
}
