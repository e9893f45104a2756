/**
 * Which bytes of one character belong to the charset of that name as it is standardized. Libraries write vendors' additions
 * under the names of the standards (CP936 as GB2312, CP932 as Shift_JIS), which not every reader knows.
 */
export function strictBytes(mime: string): (bytes: Buffer) => boolean {
  return STRICT.get(mime) ?? (() => true);
}

const STRICT: ReadonlyMap<string, (bytes: Buffer) => boolean> = new Map([
  ['gb2312', isGb2312],
  ['big5', isBig5],
  ['euc-kr', isEucKr],
  ['shift_jis', isShiftJis],
  ['iso-2022-jp', isIso2022Jp],
]);

/** GB 2312-80: rows 1 to 9 and 16 to 87, without what GBK put into their gaps. */
function isGb2312(bytes: Buffer): boolean {
  const [lead = 0, trail = 0] = bytes;
  if (bytes.length !== 2 || trail < 0xa1 || trail > 0xfe) return false;
  if (lead === 0xa2) return trail >= 0xb1;
  if (lead === 0xa6) return trail <= 0xd8;
  if (lead === 0xa8) return trail <= 0xba || (trail >= 0xc5 && trail <= 0xe9);
  return (lead >= 0xa1 && lead <= 0xa9) || (lead >= 0xb0 && lead <= 0xf7);
}

/** Big5 of 1984, without the additions of ETEN, Microsoft and Hong Kong. */
function isBig5(bytes: Buffer): boolean {
  if (bytes.length !== 2) return false;
  const code = bytes.readUInt16BE();
  return (code >= 0xa140 && code <= 0xa3bf) || (code >= 0xa440 && code <= 0xc67e) || (code >= 0xc940 && code <= 0xf9d5);
}

/** KS X 1001; both bytes are above those of ASCII. */
function isEucKr(bytes: Buffer): boolean {
  const [lead = 0, trail = 0] = bytes;
  return bytes.length === 2 && lead >= 0xa1 && lead <= 0xfe && trail >= 0xa1 && trail <= 0xfe;
}

/** JIS X 0208 and the half-width katakana of JIS X 0201. */
function isShiftJis(bytes: Buffer): boolean {
  const [lead = 0] = bytes;
  if (bytes.length === 1) return lead >= 0xa1 && lead <= 0xdf;
  const code = bytes.readUInt16BE();
  return (code >= 0x8140 && code <= 0x84be) || (code >= 0x889f && code <= 0xeaa4);
}

/** One character of JIS X 0208 between its escapes (RFC 1468): rows 1 to 8 and 16 to 84. */
function isIso2022Jp(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return /^\x1b\$B(?:[!-(]|[0-t])[!-~]\x1b\(B$/.test(text);
}
