/** One body part: its fields in lower case, and its content with the transfer encoding undone. */
export interface ReadPart {
  readonly type: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A DSN as a strict reader sees it. */
export interface ReadDsn {
  readonly fields: ReadonlyMap<string, string>;
  readonly parts: readonly ReadPart[];
  /** Groups of fields of the delivery status: the message's, then one for each recipient. */
  readonly groups: readonly ReadonlyMap<string, string>[];
}

/**
 * Reads a DSN by the letter of RFC 3464 and RFC 6522, knowing nothing of how ours are made.
 * @throws Error where a reader that goes by the book would stumble
 */
export function readDsn(bytes: Buffer): ReadDsn {
  const text = bytes.toString('latin1');
  if (/(?<!\r)\n|\r(?!\n)/.test(text)) throw new Error('a line end that is not CRLF');
  if (text.split('\r\n').some((line) => line.length > 998)) throw new Error('a line is too long');
  const { fields, body } = entity(text);
  const type = fields.get('content-type') ?? '';
  const boundary = /boundary="([^"]{1,70})"/.exec(type)?.[1];
  if (!type.startsWith('multipart/report;') || boundary === undefined) throw new Error('no multipart/report');
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.length !== 5 || !pieces[4]?.startsWith('--')) throw new Error(`${pieces.length - 2} parts instead of 3`);
  const parts = pieces.slice(1, 4).map((piece) => partOf(piece.replace(/^[ \t]*\r\n/, '')));
  const reportType = /report-type=([\w-]+)/.exec(type)?.[1];
  const [, status] = parts;
  if (status?.type !== `message/${reportType ?? ''}`) throw new Error('report-type is not the type of the second part');
  const groups = status.body
    .toString('utf8')
    .split(/\r\n(?:\r\n)+/)
    .filter((group) => group.trim() !== '')
    .map((group) => fieldsOf(group.replace(/\r\n$/, '')));
  check(groups, reportType === 'global-delivery-status');
  return { fields, parts, groups };
}

const ACTIONS = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

function check(groups: readonly ReadonlyMap<string, string>[], global: boolean): void {
  const [message, ...recipients] = groups;
  if (!/^dns; \S+$/.test(message?.get('reporting-mta') ?? '')) throw new Error('no Reporting-MTA');
  if (recipients.length === 0) throw new Error('no recipient');
  for (const one of recipients) {
    if (!/^(?:rfc822|utf-8); \S.*$/.test(one.get('final-recipient') ?? '')) throw new Error('no Final-Recipient');
    if (!ACTIONS.includes(one.get('action') ?? '')) throw new Error('no Action');
    if (!/^[245]\.\d{1,3}\.\d{1,3}$/.test(one.get('status') ?? '')) throw new Error('no Status');
  }
  const all = groups.flatMap((group) => [...group.values()]).join('');
  if (!global && /[^\x20-\x7e]/.test(all)) throw new Error('characters beyond ASCII in a delivery status');
}

function partOf(text: string): ReadPart {
  const { fields, body } = entity(text);
  const encoding = fields.get('content-transfer-encoding') ?? '7bit';
  if (encoding === '7bit' && /[^\0-\x7f]/.test(body)) throw new Error('8-bit content under 7bit');
  const type = (fields.get('content-type') ?? '').split(';')[0] ?? '';
  return { type, fields, body: encoding === 'quoted-printable' ? unquote(body) : Buffer.from(body, 'latin1') };
}

function entity(text: string): { readonly fields: ReadonlyMap<string, string>; readonly body: string } {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('a header without an end');
  return { fields: fieldsOf(text.slice(0, end)), body: text.slice(end + 4) };
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.replace(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const match = /^([!-9;-~]+): ?(.*)$/s.exec(line);
    if (match === null) throw new Error(`no field: ${line}`);
    const name = (match[1] ?? '').toLowerCase();
    if (fields.has(name)) throw new Error(`${name} stands twice`);
    fields.set(name, match[2] ?? '');
  }
  return fields;
}

function unquote(text: string): Buffer {
  if (text.split('\r\n').some((line) => line.length > 76)) throw new Error('a quoted-printable line is too long');
  if (/[^\r\n\t -~]|=(?!\r\n|[0-9A-F]{2})|[ \t]\r\n/.test(text)) throw new Error('bad quoted-printable');
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return Buffer.from(bytes, 'latin1');
}
