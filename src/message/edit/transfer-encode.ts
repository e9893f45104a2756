const CR = 0x0d;
const LF = 0x0a;
const HEX = Buffer.from('0123456789ABCDEF');
/** Octets of a line but for its soft break (RFC 2045 6.7). */
const QP_LINE = 75;

/** Base64 in lines of 76 characters, without a line end behind the last (RFC 2045 6.8). */
export function encodeBase64(bytes: Buffer): Buffer {
  const text = bytes.toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += 76) lines.push(text.slice(at, at + 76));
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

/** Quoted-printable of any bytes; each CRLF is a line end (RFC 2045 6.7). */
export function encodeQuotedPrintable(bytes: Buffer): Buffer {
  // Three octets for each, and a soft break of three for every 73 of those.
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil((bytes.length * 3) / 73) * 3 + 3);
  let length = 0;
  let column = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === CR && bytes[at + 1] === LF) {
      out[length++] = CR;
      out[length++] = LF;
      column = 0;
      at += 1;
      continue;
    }
    const next = bytes[at + 1];
    const isLast = next === undefined || (next === CR && bytes[at + 2] === LF);
    const plain = (byte >= 0x21 && byte <= 0x7e && byte !== 0x3d) || ((byte === 0x20 || byte === 0x09) && !isLast);
    const width = plain ? 1 : 3;
    if (column + width > (isLast ? QP_LINE + 1 : QP_LINE)) {
      out[length++] = 0x3d;
      out[length++] = CR;
      out[length++] = LF;
      column = 0;
    }
    if (plain) out[length++] = byte;
    else {
      out[length++] = 0x3d;
      out[length++] = HEX[byte >> 4] ?? 0;
      out[length++] = HEX[byte & 15] ?? 0;
    }
    column += width;
  }
  return out.subarray(0, length);
}
