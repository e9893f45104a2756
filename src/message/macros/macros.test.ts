import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mailWith } from '../../../test/message/mail.js';
import { writeOle } from '../../../test/message/ole-writer.js';
import { vbaModule } from '../../../test/message/vba-writer.js';
import { writeZip } from '../../../test/message/zip-writer.js';
import { readMessage } from '../read.js';
import { macroReport } from './macro-report.js';
import { decompressVba } from './ovba.js';

const SOURCE = 'Sub AutoOpen()\r\n  x = Shell("calc")\r\nEnd Sub\r\nPrivate Sub Document_Open()\r\nEnd Sub\r\n';

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc(Math.max(0, 4096 - content.length))]);
}

describe('decompressVba', () => {
  it('does the examples of MS-OVBA 3.2', () => {
    const normal =
      '012fb000236161616263646582660070616768696a013808616b6c00306d6e6f70067102700410727374757610777879' + '7a003c';
    expect(decompressVba(Buffer.from(normal, 'hex'), 0, 1000)?.toString()).toBe(
      '#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa',
    );
    expect(decompressVba(Buffer.from('0103b002614500', 'hex'), 0, 1000)?.toString()).toBe('a'.repeat(73));
  });

  it('never makes more than allowed, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(5000), (bytes, max) => {
        const out = decompressVba(Buffer.concat([Buffer.from([1]), bytes]), 0, max);
        expect(out?.length).toBeLessThanOrEqual(max);
      }),
    );
  });
});

describe('macroReport', () => {
  const ole = writeOle(['ThisDocument', 'WordDocument', '_VBA_PROJECT'], padded(vbaModule(SOURCE)));

  it('names what runs by itself and what it uses, in the old format', () => {
    expect(macroReport(ole)).toBe('carries a macro that runs by itself (AutoOpen, Document_Open) and that uses Shell');
  });

  it('does the same in OOXML', () => {
    const project = writeOle(['Module1', 'dir'], padded(vbaModule(SOURCE)));
    const docm = writeZip([
      { name: '[Content_Types].xml', content: Buffer.from('<x/>') },
      { name: 'word/document.xml', content: Buffer.from('<x/>') },
      { name: 'word/vbaProject.bin', content: project },
    ]);
    expect(macroReport(docm)).toContain('AutoOpen');
  });

  it('says only that there is one where the source cannot be read', () => {
    expect(macroReport(writeOle(['WordDocument', '_VBA_PROJECT']))).toBe('carries a macro');
    expect(macroReport(Buffer.from('PK\x03\x04'))).toBe('carries a macro');
  });

  it('does not take a call for a procedure', () => {
    const calls = writeOle(['Module1', 'WordDocument'], padded(vbaModule('Sub a()\r\n  AutoOpen()\r\nEnd Sub\r\n')));
    expect(macroReport(calls)).toBe('carries a macro');
  });
});

describe('macros that are no VBA', () => {
  /** A workbook with one sheet of this kind (MS-XLS 2.4.28). */
  function workbook(kind: number): Buffer {
    const records = Buffer.from([9, 8, 2, 0, 0, 6, 0x85, 0, 8, 0, 0, 0, 0, 0, 0, kind, 1, 0x61, 0x0a, 0, 0, 0]);
    return writeOle(['Workbook'], padded(records));
  }

  it('finds sheets of Excel 4.0 macros', () => {
    const objects = (kind: number) =>
      readMessage(mailWith([{ name: 'a.xls', content: workbook(kind) }]), LIMITS).objects;
    expect(objects(1)[0]).toMatchObject({ format: 'xls', macro: true });
    expect(objects(0)[0]).toMatchObject({ format: 'xls', macro: false });
    expect(macroReport(workbook(1))).toBe('carries a macro of Excel 4.0');
  });

  it('finds the mark of a VBA project in a presentation', () => {
    const atom = (has: number) => Buffer.from([2, 0, 0, 4, 12, 0, 0, 0, 5, 0, 0, 0, has, 0, 0, 0, 2, 0, 0, 0]);
    const objects = (has: number) => {
      const content = writeOle(['PowerPoint Document'], padded(atom(has)));
      return readMessage(mailWith([{ name: 'a.ppt', content }]), LIMITS).objects;
    };
    expect(objects(1)[0]?.macro).toBe(true);
    expect(objects(0)[0]?.macro).toBe(false);
  });
});
