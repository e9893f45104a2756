import type { Content } from '../../message/source.js';

/** Bytes that make a line of 76 characters (RFC 2045 6.8). */
const LINE_BYTES = 57;

/** A content in base64, read piece by piece; lines end in CRLF but for the last. */
export function base64Content(content: Content): Content {
  const characters = Math.ceil(content.size / 3) * 4;
  const breaks = Math.max(0, Math.ceil(content.size / LINE_BYTES) - 1);
  return {
    size: characters + 2 * breaks,
    async *read(): AsyncGenerator<Buffer> {
      let rest: Buffer = Buffer.alloc(0);
      let first = true;
      const lines = (bytes: Buffer): Buffer => {
        const out: string[] = [];
        for (let start = 0; start < bytes.length; start += LINE_BYTES) {
          out.push(`${first ? '' : '\r\n'}${bytes.toString('base64', start, start + LINE_BYTES)}`);
          first = false;
        }
        return Buffer.from(out.join(''), 'latin1');
      };
      for await (const chunk of content.read()) {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        const whole = bytes.length - (bytes.length % LINE_BYTES);
        if (whole > 0) yield lines(bytes.subarray(0, whole));
        rest = bytes.subarray(whole);
      }
      if (rest.length > 0) yield lines(rest);
    },
  };
}
