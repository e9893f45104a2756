import { parseHopUrl } from './hop-url.js';
import { maildirHop } from './maildir.js';
import { smtpHop, type SmtpHopOptions } from './smtp-hop.js';
import type { NextHop } from './types.js';

export interface HopOptions extends SmtpHopOptions {
  /** What relative paths in the URL count from; default: the working directory. */
  readonly folder?: string;
}

/**
 * Opens a next hop: nothing is connected before the first mail.
 * @param url `maildir:FOLDER`, `smtp://...` or `smtps://...`
 * @throws HopUrlError
 */
export function openHop(url: string, options: HopOptions): NextHop {
  const target = parseHopUrl(url, options.folder);
  return target.kind === 'maildir' ? maildirHop(target) : smtpHop(target, options);
}
