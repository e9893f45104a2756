/** Messages that were made to break parsers. Each is small; what they do to a careless one is not. */
export function hostileMessages(): readonly { readonly name: string; readonly bytes: Buffer }[] {
  const mail = (name: string, ...lines: readonly string[]): { name: string; bytes: Buffer } => ({
    name,
    bytes: Buffer.from(lines.join('\r\n'), 'latin1'),
  });
  const zipHead = 'PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x05\0\0\0a.exe';
  const attachment = (bytes: string): string[] => [
    'Content-Type: application/zip; name="a.zip"',
    'Content-Disposition: attachment; filename="a.zip"',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(bytes, 'latin1').toString('base64'),
  ];
  return [
    mail('nothing at all'),
    mail('no header', '', 'body'),
    mail('no body', 'Subject: x'),
    mail('NUL in the header', 'Subject: a\0b', '', 'body'),
    mail('a field of 200 KB', `Subject: ${'x'.repeat(200_000)}`, '', 'body'),
    mail('a multipart that never ends', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text'),
    mail('a multipart without a boundary', 'Content-Type: multipart/mixed', '', '--', '', 'text', '----'),
    mail('base64 that is none', 'Content-Transfer-Encoding: base64', '', '!!!!====$$$$'),
    mail('an unknown encoding', 'Content-Transfer-Encoding: x-rot13', '', 'body'),
    mail('an archive that claims 4 GB', ...attachment(zipHead)),
    mail('an archive cut short', ...attachment('PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff')),
    mail('1000 parts', 'Content-Type: multipart/mixed; boundary=b', '', ...Array<string>(1000).fill('--b\r\n\r\nx')),
    mail('multiparts 200 deep', ...deep(200)),
    mail('a path as a file name', 'Content-Disposition: attachment; filename="../../etc/passwd"', '', 'root'),
  ];
}

function deep(levels: number): string[] {
  return Array.from({ length: levels }, (_, i) => [
    `Content-Type: multipart/mixed; boundary=b${i}`,
    '',
    `--b${i}`,
  ]).flat();
}
