import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { render, trees } from '../../test/message/mime-tree.js';
import { readStructure } from './structure.js';
import type { Structure } from './types.js';

function names(structure: Structure): string[] {
  return structure.anomalies.map(({ name }) => name);
}

describe('readStructure: any tree', () => {
  it('finds every leaf with its exact ranges, and nothing besides', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { bytes, leaves, count } = render(tree);
        const structure = readStructure(bytes, { maxDepth: 100, maxParts: 10_000 });
        const found = structure.parts
          .filter((part) => part.children.length === 0)
          .map((part) => ({ start: part.range.start, bodyStart: part.body.start, end: part.range.end }));
        expect(found).toEqual(leaves);
        // An enclosed message and what it consists of are one part in the message, two in the tree.
        expect(structure.parts.length).toBe(count);
        expect(structure.anomalies.filter(({ name }) => name !== 'missing-from')).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps parents before children and ranges inside their parents', () => {
    fc.assert(
      fc.property(trees, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))), (tree, damage) => {
        const { bytes } = render(tree);
        for (const [place, value] of damage) bytes[place % bytes.length] = value;
        const { parts } = readStructure(bytes, LIMITS);
        for (const part of parts) {
          expect(part.range.start).toBeLessThanOrEqual(part.header.end);
          expect(part.header.end).toBeLessThanOrEqual(part.body.start);
          expect(part.body.start).toBeLessThanOrEqual(part.body.end);
          expect(part.body.end).toBe(part.range.end);
          if (part.parent === undefined) continue;
          const parent = parts[part.parent];
          expect(part.parent).toBeLessThan(part.index);
          expect(parent?.children).toContain(part.index);
          // Under another reading of the header the parent's body starts earlier.
          const from = part.alternative === true ? parent?.range.start : parent?.body.start;
          expect(from).toBeLessThanOrEqual(part.range.start);
          expect(parent?.body.end).toBeGreaterThanOrEqual(part.range.end);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never throws on bytes that are no message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readStructure(Buffer.from(bytes), LIMITS).parts.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('readStructure: one field or boundary that can be read in two ways', () => {
  it('looks for parts under both Content-Type fields', () => {
    const structure = readStructure(
      mail(
        'From: a@example.org',
        'Content-Type: text/plain',
        'Content-Type: multipart/mixed; boundary=x',
        '',
        '--x',
        'Content-Type: application/zip; name=a.zip',
        '',
        'PK',
        '--x--',
      ),
      LIMITS,
    );
    expect(names(structure)).toContain('duplicate-content-type');
    expect(structure.root.type).toBe('text/plain');
    expect(structure.parts[1]).toMatchObject({ filename: 'a.zip', alternative: true });
  });

  it('looks for parts under both boundaries', () => {
    const structure = readStructure(
      mail(
        'From: a@example.org',
        'Content-Type: multipart/mixed; boundary=one; boundary=two',
        '',
        '--one',
        '',
        'first',
        '--one--',
        '--two',
        'Content-Disposition: attachment; filename=b.exe',
        '',
        'second',
        '--two--',
      ),
      LIMITS,
    );
    expect(names(structure)).toContain('conflicting-parameters');
    expect(structure.parts.map(({ filename }) => filename)).toContain('b.exe');
  });

  it('finds parts behind the closing boundary, with the boundary and with another one', () => {
    const lines = ['From: a@example.org', 'Content-Type: multipart/mixed; boundary=x', '', '--x', '', 'text', '--x--'];
    const same = readStructure(mail(...lines, '--x', 'Content-Type: a/b; name=c.exe', '', 'y', '--x--'), LIMITS);
    expect(names(same)).toContain('parts-after-close');
    expect(same.parts.at(-1)?.filename).toBe('c.exe');
    const other = readStructure(mail(...lines, '--z', 'Content-Type: a/b; name=c.exe', '', 'y', '--z--'), LIMITS);
    expect(names(other)).toContain('parts-outside-boundary');
    expect(other.parts.at(-1)?.filename).toBe('c.exe');
  });

  it('finds parts without a boundary parameter, and with one that never occurs', () => {
    for (const [parameter, anomaly] of [
      ['', 'missing-boundary'],
      ['; boundary=never', 'boundary-not-found'],
    ]) {
      const structure = readStructure(
        mail(
          'From: a@b',
          `Content-Type: multipart/mixed${parameter ?? ''}`,
          '',
          '--q',
          'Content-Type: a/b; name=d.exe',
          '',
          '1',
          '--q--',
        ),
        LIMITS,
      );
      expect(names(structure)).toContain(anomaly);
      expect(structure.parts.at(-1)?.filename).toBe('d.exe');
    }
  });

  it('takes a line that only starts with the boundary as a second reading', () => {
    const structure = readStructure(
      mail(
        'From: a@b',
        'Content-Type: multipart/mixed; boundary=x',
        '',
        '--x',
        '',
        'text',
        '--xy',
        'Content-Type: a/b; name=e.exe',
        '',
        '1',
        '--x--',
      ),
      LIMITS,
    );
    expect(names(structure)).toContain('ambiguous-boundary');
    expect(structure.parts.at(-1)).toMatchObject({ filename: 'e.exe', alternative: true });
  });

  it('notes a multipart without its end, and reads its last part to the end of the outer one', () => {
    const structure = readStructure(
      mail(
        'From: a@b',
        'Content-Type: multipart/mixed; boundary=x',
        '',
        '--x',
        'Content-Type: multipart/mixed; boundary=y',
        '',
        '--y',
        '',
        'in',
        '--x--',
      ),
      LIMITS,
    );
    expect(names(structure)).toContain('unclosed-multipart');
    expect(structure.parts).toHaveLength(3);
  });
});

describe('readStructure: header oddities', () => {
  it.each([
    ['duplicate-from', 'From: c@d'],
    ['duplicate-subject', 'Subject: 1\r\nSubject: 2'],
    ['malformed-header', 'no colon here'],
    ['space-before-colon', 'X-Spaced : 1'],
    ['blank-folded-line', 'X-Blank: 1\r\n \r\n 2'],
    ['long-header-line', `X-Long: ${'x'.repeat(1200)}`],
    ['unknown-transfer-encoding', 'Content-Transfer-Encoding: base-64'],
    ['malformed-content-type', 'Content-Type: text'],
    ['malformed-parameter', 'Content-Type: text/plain; name="a'],
    ['conflicting-parameters', 'Content-Type: text/plain; name=a.txt; name=b.exe'],
    ['conflicting-names', 'Content-Type: a/b; name=a.txt\r\nContent-Disposition: attachment; filename=b.exe'],
    ['eight-bit-header', 'X-Eight: caf\u00e9'],
  ])('notes %s', (anomaly, field) => {
    expect(names(readStructure(mail('From: a@b', field, '', 'body'), LIMITS))).toContain(anomaly);
  });

  it('notes nothing about an ordinary message', () => {
    const bytes = mail(
      'From: a@b',
      'Subject: x',
      'Content-Type: text/plain; charset="utf-8"',
      '',
      '--not a boundary',
      '',
    );
    expect(readStructure(bytes, LIMITS).anomalies).toEqual([]);
  });

  it('decodes names that are continued, in a charset, or in raw 8-bit', () => {
    const structure = readStructure(
      mail(
        'From: a@b',
        "Content-Disposition: attachment; filename*0*=utf-8''%E2%82; filename*1*=%AC; filename*2=.exe",
        '',
        '',
      ),
      LIMITS,
    );
    expect(structure.root.filename).toBe('€.exe');
    const raw = Buffer.from('From: a@b\r\nContent-Type: a/b; name="caf\xe9.txt"\r\n\r\n', 'latin1');
    expect(readStructure(raw, LIMITS).root.filename).toBe('café.txt');
  });
});

describe('readStructure: hostile sizes', () => {
  function within(milliseconds: number, work: () => void): void {
    const start = performance.now();
    work();
    expect(performance.now() - start).toBeLessThan(milliseconds);
  }

  it('stops at maxParts and at maxDepth and says so', () => {
    const many = mail(
      'From: a@b',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      ...Array<string>(10_000).fill('--x\r\n\r\n1'),
      '--x--',
    );
    const structure = readStructure(many, LIMITS);
    expect(names(structure)).toContain('too-many-parts');
    expect(structure.parts).toHaveLength(LIMITS.maxParts);
    const deep = Array.from(
      { length: 500 },
      (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
    );
    const nested = readStructure(Buffer.from(`From: a@b\r\n${deep.join('')}`), LIMITS);
    expect(names(nested)).toContain('too-deep');
    expect(Math.max(...nested.parts.map(({ depth }) => depth))).toBe(LIMITS.maxDepth);
  });

  it('reads a header of many megabytes in linear time', () => {
    within(5000, () => {
      expect(names(readStructure(Buffer.from('a:\n'.repeat(1_000_000)), LIMITS))).toContain('too-many-fields');
      readStructure(Buffer.from(`From: a@b\r\nSubject: ${'=?'.repeat(2_000_000)}\r\n\r\n`), LIMITS);
      readStructure(Buffer.from(`Content-Type: a/b; ${'x*0*=%41; '.repeat(100_000)}\r\n\r\n`), LIMITS);
    });
  });

  it('bounds the work where every level reads everything again', () => {
    const head =
      'Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c; boundary=d\r\n\r\n--a\r\n--b\r\n--c\r\n--d\r\n';
    within(10_000, () => {
      const bytes = Buffer.from(`From: a@b\r\n${head.repeat(16)}${'--a!\r\n'.repeat(200_000)}`);
      expect(readStructure(bytes, LIMITS).parts.length).toBeLessThanOrEqual(LIMITS.maxParts);
    });
  });
});
