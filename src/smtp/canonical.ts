import type { IntakeReport } from '../message/envelope.js';
import { HeaderEnd, scanHeader, writtenBy } from './header-scan.js';

/**
 * A message from a file as intake would have handed it on: CRLF line ends, no NUL, none of our own fields.
 * A file whose line ends are all LF, as mail is kept on disk, is no anomaly; one that mixes them is.
 * @param hostname our own, for counting Received fields
 */
export function canonicalMessage(
  raw: Buffer,
  hostname = 'localhost',
): { readonly bytes: Buffer; readonly intake: IntakeReport } {
  const text = raw.toString('latin1');
  const onDisk = !text.includes('\r');
  const anomalies: string[] = [];
  if (!onDisk && /\r(?!\n)/.test(text)) anomalies.push('bare-cr');
  if (!onDisk && /(?<!\r)\n/.test(text)) anomalies.push('bare-lf');
  if (text.includes('\0')) anomalies.push('nul');
  const canonical = Buffer.from(text.replace(/\0/g, '').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
  const end = new HeaderEnd().find(canonical);
  const headerEnd = end < 0 ? canonical.length : end;
  const scan = scanHeader(canonical.subarray(0, headerEnd), writtenBy(hostname));
  return {
    bytes: Buffer.concat([...scan.pieces, canonical.subarray(headerEnd)]),
    intake: {
      anomalies,
      received: scan.received,
      ...(scan.ownMark === undefined ? {} : { ownMark: scan.ownMark }),
      ...(scan.passes === 0 ? {} : { passes: scan.passes }),
    },
  };
}
