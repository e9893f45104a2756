import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataDecoder, type LineEndingPolicy } from './line-endings.js';

interface Decoded {
  readonly data: string;
  readonly rest: string | undefined;
  readonly anomalies: string;
}

function decode(chunks: readonly Buffer[], policy: LineEndingPolicy = 'normalize'): Decoded {
  const decoder = new DataDecoder(policy);
  const out: Buffer[] = [];
  let rest: Buffer | undefined;
  for (const chunk of chunks) {
    if (rest !== undefined) rest = Buffer.concat([rest, chunk]);
    else {
      const end = decoder.write(chunk, (piece) => out.push(Buffer.from(piece)));
      if (end >= 0) rest = chunk.subarray(end);
    }
  }
  return {
    data: Buffer.concat(out).toString('latin1'),
    rest: rest?.toString('latin1'),
    anomalies: [decoder.bareCr ? 'bare-cr' : '', decoder.bareLf ? 'bare-lf' : '', decoder.nul ? 'nul' : '']
      .filter(Boolean)
      .join(' '),
  };
}

/** What the decoder must do, said plainly: lines end at CRLF, then each line's content is made canonical. */
function reference(wire: string): Decoded {
  const end = wire.startsWith('.\r\n') ? 0 : wire.indexOf('\r\n.\r\n') + 2;
  const raw = wire.slice(0, end);
  const content = raw
    .split('\r\n')
    .map((line) => (line.startsWith('.') ? line.slice(1) : line))
    .map((line) => line.replace(/\r|\n/g, '\u0100').replaceAll('\0', '').replaceAll('\u0100', '\r\n'))
    .join('\r\n');
  const bare = raw.replaceAll('\r\n', '');
  return {
    data: content,
    rest: wire.slice(end + 3),
    anomalies: [
      bare.includes('\r') ? 'bare-cr' : '',
      bare.includes('\n') ? 'bare-lf' : '',
      bare.includes('\0') ? 'nul' : '',
    ]
      .filter(Boolean)
      .join(' '),
  };
}

const END = '\r\n.\r\n';

/** Each must be one message, in which nothing ends the data early. */
const TRICKY = [
  '',
  'one line',
  '.',
  '..',
  '..\r\n..\r\n...',
  'a\r\n..\r\nb',
  'a\r\n.b\r\n.\rc',
  'a\n.\nb',
  'a\n.\r\nMAIL FROM:<x@y>\r\nb',
  'a\r\n.\nb',
  'a\r.\rb',
  'a\r.\r\nb',
  'a\r\r\n.b',
  'a\r\n\0.\r\nb',
  'a\r\n.\0\r\nb',
  'a\r\n.\r\0\nb',
  'a\r\0\n.\r\nb',
  'a\r\n.\r\r\nb',
  '\n.\n',
  '\r.\r',
  '\0',
  '\r\n\r\n',
  'a\n..b\n...c',
  'a\r\n.\r\n'.slice(0, -1),
].filter((content) => !`${content}${END}`.slice(0, -5).includes(END) || content === '');

describe('the end of data', () => {
  it('is at CRLF.CRLF, or a dot on the first line', () => {
    expect(decode([Buffer.from('.\r\nNOOP')])).toEqual({ data: '', rest: 'NOOP', anomalies: '' });
    expect(decode([Buffer.from('a\r\n.\r\n')])).toEqual({ data: 'a\r\n', rest: '', anomalies: '' });
  });

  it.each(['\n.\n', '\n.\r\n', '\r.\r', '\r.\r\n', '\r\n.\n', '\r\n.\r', '\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n.\r\r\n'])(
    'is not at %j',
    (sequence) => {
      const { rest } = decode([Buffer.from(`a${sequence}MAIL FROM:<evil@example.net>\r\nb`)]);
      expect(rest).toBeUndefined();
    },
  );

  it.each(TRICKY)('and the outcome are the same for every split in two pieces: %j', (content) => {
    const wire = Buffer.from(`${content}${END}QUIT\r\n`, 'latin1');
    const expected = reference(wire.toString('latin1'));
    for (let at = 0; at <= wire.length; at += 1) {
      expect(decode([wire.subarray(0, at), wire.subarray(at)]), `split at ${at}`).toEqual(expected);
    }
  });

  it('and the outcome are the same for any bytes in any pieces', () => {
    const byte = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('\r', '\n', '.', '\0', 'a') },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
      { weight: 2, arbitrary: fc.constant('\r\n') },
    );
    const content = fc.array(byte, { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(content, fc.array(fc.nat(70), { maxLength: 8 }), (text, cuts) => {
        const wire = Buffer.from(`${text}${END}`, 'latin1');
        const edges = [0, ...cuts.filter((cut) => cut < wire.length).sort((a, b) => a - b), wire.length];
        const chunks = edges.slice(1).map((edge, i) => wire.subarray(edges[i], edge));
        expect(decode(chunks)).toEqual(reference(wire.toString('latin1')));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('dots', () => {
  it('are taken out at the start of a line, once', () => {
    expect(decode([Buffer.from('..a\r\n.b\r\n...\r\nc.d\r\n.\r\n')]).data).toBe('.a\r\nb\r\n..\r\nc.d\r\n');
  });

  it('stay behind a bare LF, which starts no line', () => {
    expect(decode([Buffer.from('a\n..b\n.c\r\n.\r\n')]).data).toBe('a\r\n..b\r\n.c\r\n');
  });
});

describe('normalize', () => {
  it('makes CRLF of bare CR and LF, and removes NUL', () => {
    expect(decode([Buffer.from('a\rb\nc\0d\r\n.\r\n')])).toEqual({
      data: 'a\r\nb\r\ncd\r\n',
      rest: '',
      anomalies: 'bare-cr bare-lf nul',
    });
  });

  it('passes a chunk in which all is in order on as it is', () => {
    const chunk = Buffer.from('Subject: x\r\n\r\nhello\r\n');
    const pieces: Buffer[] = [];
    new DataDecoder('normalize').write(chunk, (piece) => pieces.push(piece));
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toBe(chunk);
  });

  it('keeps no room for the NULs that it has removed', () => {
    const pieces: Buffer[] = [];
    const chunk = Buffer.alloc(60_000);
    chunk[30_000] = 0x61;
    new DataDecoder('normalize').write(chunk, (piece) => pieces.push(piece));
    expect(pieces.map(String)).toEqual(['a']);
    expect(pieces[0]?.buffer.byteLength).toBeLessThan(10_000);
  });

  it('passes on nothing but CRLF, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
        const { data } = decode([...chunks.map((chunk) => Buffer.from(chunk)), Buffer.from(END)]);
        expect(data.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
      }),
    );
  });
});

describe('reject', () => {
  it('finds the same end of data as normalize', () => {
    const wire = Buffer.from('a\nb\r\n.\nc\0\r\n..d\r\n.\r\nNOOP', 'latin1');
    for (let at = 0; at <= wire.length; at += 1) {
      const { rest, anomalies } = decode([wire.subarray(0, at), wire.subarray(at)], 'reject');
      expect(rest).toBe('NOOP');
      expect(anomalies).toBe('bare-lf nul');
    }
  });

  it('leaves a message in order alone', () => {
    expect(decode([Buffer.from('a\r\n..b\r\n.\r\n')], 'reject')).toEqual({
      data: 'a\r\n.b\r\n',
      rest: '',
      anomalies: '',
    });
  });
});
