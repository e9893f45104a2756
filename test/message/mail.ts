import type { ScanLimits } from '../../src/message/types.js';

export const LIMITS: ScanLimits = {
  maxDepth: 16,
  maxParts: 1000,
  maxArchiveEntries: 10_000,
  maxUnpacked: 500 * 1024 * 1024,
};

/** Lines joined by CRLF. */
export function mail(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

/** A message with files attached in base64. */
export function mailWith(
  files: readonly { readonly name: string; readonly content: Buffer; readonly type?: string }[],
): Buffer {
  return mail(
    'From: a@example.org',
    'To: b@example.org',
    'Subject: files',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="outer"',
    '',
    '--outer',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'See the files.',
    ...files.flatMap(({ name, content, type }) => [
      '--outer',
      `Content-Type: ${type ?? 'application/octet-stream'}`,
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
      '',
      content.toString('base64').replace(/.{76}/g, '$&\r\n'),
    ]),
    '--outer--',
    '',
  );
}
