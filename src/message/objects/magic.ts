import type { ObjectType } from '../types.js';
import { holdsDataFork } from './apple-single.js';
import { isBareWorkbook } from './biff.js';
import { type CmsKind, cmsKind } from './smime/cms.js';
import { checksumFits as tarChecksumFits } from './tar.js';
import { isLzma } from './unpack/lzma.js';

/** True type and finer format of an object. */
export interface Kind {
  readonly type: ObjectType;
  readonly format: string;
}

interface Signature extends Kind {
  readonly magic: Buffer;
  readonly offset: number;
}

function signature(type: ObjectType, format: string, magic: string, offset = 0): Signature {
  return { type, format, magic: Buffer.from(magic, 'latin1'), offset };
}

/** Formats that are told by fixed bytes at a fixed place. Containers that hold several formats are told apart elsewhere. */
const SIGNATURES: readonly Signature[] = [
  signature('executable', 'elf', '\x7fELF'),
  signature('executable', 'macho', '\xfe\xed\xfa\xce'),
  signature('executable', 'macho', '\xfe\xed\xfa\xcf'),
  signature('executable', 'macho', '\xce\xfa\xed\xfe'),
  signature('executable', 'macho', '\xcf\xfa\xed\xfe'),
  signature('executable', 'dex', 'dex\n'),
  signature('executable', 'wasm', '\0asm'),
  signature('executable', 'lnk', 'L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0'),
  signature('archive', 'zip', 'PK\x03\x04'),
  signature('archive', 'zip', 'PK\x05\x06'),
  signature('archive', 'zip', 'PK\x07\x08PK\x03\x04'),
  signature('archive', 'zip', 'PK00PK\x03\x04'),
  signature('archive', 'gzip', '\x1f\x8b'),
  signature('archive', '7z', "7z\xbc\xaf'\x1c"),
  signature('archive', 'rar', 'Rar!\x1a\x07'),
  signature('archive', 'xz', '\xfd7zXZ\0'),
  signature('archive', 'zstd', '\x28\xb5\x2f\xfd'),
  signature('archive', 'lz4', '\x04\x22\x4d\x18'),
  signature('archive', 'lz4', '\x02\x21\x4c\x18'),
  signature('archive', 'lzop', '\x89LZO\0\r\n\x1a\n'),
  signature('archive', 'lrzip', 'LRZI'),
  signature('archive', 'grzip', 'GRZipII'),
  signature('archive', 'zpaq', 'zPQ'),
  signature('archive', 'zoo', 'ZOO '),
  signature('archive', 'stuffit', 'StuffIt'),
  signature('archive', 'stuffit', 'SIT!'),
  signature('archive', 'cpio', '\xc7\x71'),
  signature('archive', 'cpio', '\x71\xc7'),
  signature('archive', 'cab', 'MSCF'),
  signature('archive', 'ace', '**ACE**', 7),
  signature('archive', 'arj', '\x60\xea'),
  signature('archive', 'compress', '\x1f\x9d'),
  signature('archive', 'tar', 'ustar', 257),
  signature('archive', 'ar', '!<arch>\n'),
  signature('archive', 'rpm', '\xed\xab\xee\xdb'),
  signature('archive', 'xar', 'xar!'),
  signature('archive', 'lzip', 'LZIP'),
  signature('archive', 'activemime', 'ActiveMime'),
  signature('archive', 'crx', 'Cr24'),
  signature('archive', 'tnef', '\x78\x9f\x3e\x22'),
  signature('archive', 'applesingle', '\0\x05\x16\0\0'),
  signature('document', 'chm', 'ITSF'),
  signature('document', 'rtf', '{\\rt'),
  signature('document', 'ps', '%!PS'),
  signature('document', 'onenote', '\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3'),
  signature('document', 'djvu', 'AT&TFORM'),
  signature('document', 'ps', '\xc5\xd0\xd3\xc6'),
  signature('document', 'mobi', 'BOOKMOBI', 60),
  signature('image', 'png', '\x89PNG\r\n\x1a\n'),
  signature('image', 'jpeg', '\xff\xd8\xff'),
  signature('image', 'gif', 'GIF8'),
  signature('image', 'tiff', 'II*\0'),
  signature('image', 'tiff', 'MM\0*'),
  signature('image', 'psd', '8BPS'),
  signature('image', 'ico', '\0\0\x01\0'),
  signature('image', 'jp2', '\0\0\0\x0cjP  \r\n\x87\n'),
  signature('image', 'webp', 'WEBP', 8),
  signature('image', 'bigtiff', 'II+\0'),
  signature('image', 'bigtiff', 'MM\0+'),
  signature('image', 'cr3', 'ftypcrx ', 4),
  signature('image', 'jxr', 'II\xbc'),
  signature('image', 'jxl', '\0\0\0\x0cJXL \r\n\x87\n'),
  signature('image', 'jxl', '\xff\x0a'),
  signature('image', 'xcf', 'gimp xcf '),
  signature('image', 'flif', 'FLIF'),
  signature('image', 'bpg', 'BPG\xfb'),
  signature('image', 'icns', 'icns'),
  signature('image', 'ico', '\0\0\x02\0'),
  signature('image', 'dicom', 'DICM', 128),
  signature('image', 'dwg', 'AC10'),
  signature('image', 'emf', ' EMF', 40),
  signature('image', 'wmf', '\xd7\xcd\xc6\x9a'),
  signature('audio', 'wav', 'WAVE', 8),
  signature('audio', 'mp3', 'ID3'),
  signature('audio', 'flac', 'fLaC'),
  signature('audio', 'ogg', 'OggS'),
  signature('audio', 'midi', 'MThd'),
  signature('audio', 'amr', '#!AMR'),
  signature('audio', 'aac', '\xff\xf1'),
  signature('audio', 'aac', '\xff\xf9'),
  signature('audio', 'ape', 'MAC '),
  signature('audio', 'wavpack', 'wvpk'),
  signature('audio', 'dsf', 'DSD '),
  signature('audio', 'musepack', 'MPCK'),
  signature('audio', 'musepack', 'MP+'),
  signature('audio', 'voc', 'Creative Voice File'),
  signature('audio', 'it', 'IMPM'),
  signature('audio', 'xm', 'Extended Module:'),
  signature('audio', 's3m', 'SCRM', 44),
  signature('audio', 'ac3', '\x0bw'),
  signature('audio', 'qcp', 'QLCM', 8),
  signature('audio', 'aiff', 'AIFF', 8),
  signature('video', 'avi', 'AVI ', 8),
  signature('video', 'matroska', '\x1a\x45\xdf\xa3'),
  signature('video', 'flv', 'FLV\x01'),
  signature('video', 'asf', '\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
  signature('video', 'realmedia', '.RMF'),
  signature('video', 'mxf', '\x06\x0e+4\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02'),
  signature('video', 'mp4', 'moov', 4),
  signature('video', 'mp4', 'mdat', 4),
  signature('video', 'mp4', 'wide', 4),
  signature('video', 'mpeg', '\0\0\x01\xba'),
  signature('video', 'mpeg', '\0\0\x01\xb3'),
  signature('database', 'sqlite', 'SQLite format 3\0'),
  signature('database', 'access', '\0\x01\0\0Standard Jet DB'),
  signature('database', 'access', '\0\x01\0\0Standard ACE DB'),
  signature('database', 'pst', '!BDN'),
  signature('database', 'parquet', 'PAR1'),
  signature('database', 'avro', 'Obj\x01'),
  signature('database', 'arrow', 'ARROW1'),
  signature('database', 'registry', 'regf'),
  signature('database', 'eventlog', 'ElfFile\0'),
  signature('disk-image', 'iso', 'CD001', 0x8001),
  signature('disk-image', 'iso', 'CD001', 0x8801),
  signature('disk-image', 'iso', 'NSR0', 0x8801),
  signature('disk-image', 'iso', 'BEA01', 0x8001),
  signature('disk-image', 'vhd', 'conectix'),
  signature('disk-image', 'vhdx', 'vhdxfile'),
  signature('disk-image', 'vmdk', 'KDMV'),
  signature('disk-image', 'vmdk', '# Disk DescriptorFile'),
  signature('disk-image', 'qcow2', 'QFI\xfb'),
  signature('disk-image', 'wim', 'MSWIM\0\0\0'),
  signature('disk-image', 'squashfs', 'hsqs'),
  signature('encrypted', 'pgp', '-----BEGIN PGP MESSAGE-----'),
  signature('encrypted', 'age', 'age-encryption.org/'),
  signature('other', 'pgp-signature', '-----BEGIN PGP SIGNATURE-----'),
  signature('other', 'pgp-key', '-----BEGIN PGP PUBLIC KEY BLOCK-----'),
  signature('other', 'font', 'OTTO\0'),
  signature('other', 'font', '\0\x01\0\0\0'),
  signature('other', 'font', 'ttcf'),
  signature('other', 'pcap', '\xd4\xc3\xb2\xa1'),
  signature('other', 'pcap', '\xa1\xb2\xc3\xd4'),
  signature('other', 'pcap', '\x0a\x0d\x0d\x0a'),
  signature('other', 'glb', 'glTF'),
  signature('other', 'blend', 'BLENDER'),
  signature('other', 'woff', 'wOFF'),
  signature('other', 'woff', 'wOF2'),
];

/** By first byte, for those at offset 0: one look-up instead of a walk through the table. */
const AT_START = new Map<number, Signature[]>();
const ELSEWHERE = SIGNATURES.filter((one) => one.offset > 0);
for (const one of SIGNATURES) {
  const first = one.magic[0];
  if (one.offset > 0 || first === undefined) continue;
  const list = AT_START.get(first);
  if (list === undefined) AT_START.set(first, [one]);
  else list.push(one);
}

/** The format that the fixed bytes of a file tell, or undefined. */
export function byMagic(bytes: Buffer): Kind | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  const hit = AT_START.get(first)?.find((one) => matches(bytes, one)) ?? ELSEWHERE.find((one) => matches(bytes, one));
  return hit ?? special(bytes, first);
}

function matches(bytes: Buffer, { magic, offset }: Signature): boolean {
  if (bytes.length < offset + magic.length) return false;
  for (let at = 0; at < magic.length; at += 1) {
    if (bytes[offset + at] !== magic[at]) return false;
  }
  return true;
}

/** Formats whose bytes need a second look. */
function special(bytes: Buffer, first: number): Kind | undefined {
  if (first === 0x4d && bytes[1] === 0x5a && bytes.subarray(0, 64).includes(0))
    return { type: 'executable', format: dosFormat(bytes) };
  if (first === 0xca && bytes.length > 8 && bytes.readUInt32BE(0) === 0xcafebabe) {
    // A fat Mach-O counts its architectures where a Java class has its version, which starts at 45.
    return { type: 'executable', format: bytes.readUInt32BE(4) < 40 ? 'macho' : 'class' };
  }
  if (first === 0x42 && bytes[1] === 0x4d && bytes.length > 26) {
    const size = bytes.readUInt32LE(14);
    if (size === 12 || (size >= 40 && size <= 124)) return { type: 'image', format: 'bmp' };
  }
  if (first === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2) return { type: 'audio', format: 'mp3' };
  if (first === 0x30) {
    const kind = cmsKind(bytes);
    if (kind !== undefined) return CMS[kind];
  }
  if (first === 0 && holdsDataFork(bytes)) return { type: 'archive', format: 'applesingle' };
  if (first === 0x09 && isBareWorkbook(bytes)) return { type: 'spreadsheet', format: 'xls' };
  if (isFileSystem(bytes)) return { type: 'disk-image', format: 'img' };
  if (bytes.length > 12 && bytes.toString('latin1', 4, 8) === 'ftyp') return isoMedia(bytes.toString('latin1', 8, 12));
  if (bytes.length > 512 && bytes.toString('latin1', bytes.length - 512, bytes.length - 508) === 'koly') {
    return { type: 'disk-image', format: 'dmg' };
  }
  if (bytes.length > 512 && bytes.toString('latin1', bytes.length - 512, bytes.length - 504) === 'conectix') {
    return { type: 'disk-image', format: 'vhd' };
  }
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, 1024));
  if (/^BZh[1-9](1AY&SY|\x17rE8P\x90)/.test(head)) return { type: 'archive', format: 'bzip2' };
  // Frames that readers skip (RFC 8878 3.1.2), before one of zstd or lz4.
  if ((first & 0xf0) === 0x50 && bytes.length > 12 && bytes.toString('latin1', 1, 4) === '*M\x18')
    return { type: 'archive', format: 'zstd' };
  if (isOldTar(bytes)) return { type: 'archive', format: 'tar' };
  if (isLzma(bytes)) return { type: 'archive', format: 'lzma' };
  if (/^..-l[hz][0-9ds]-/s.test(head)) return { type: 'archive', format: 'lha' };
  if (/^0707(?:0[127][0-9a-f]|27[0-9a-f])[0-9a-f]{7}/i.test(head)) return { type: 'archive', format: 'cpio' };
  if (/^[FCZ]WS[\x01-\x40]/.test(head)) return { type: 'executable', format: 'swf' };
  // Readers take a PDF whose mark is anywhere in the first kilobyte.
  if (head.includes('%PDF-')) return { type: 'document', format: 'pdf' };
  return undefined;
}

/** A tar from before POSIX, which has no mark: the sum over its first block shows it. */
function isOldTar(bytes: Buffer): boolean {
  if (bytes.length < 512 || bytes[0] === 0 || bytes.toString('latin1', 148, 149) === '\0') return false;
  return /^ *[0-7]{1,7}[\0 ]/.test(bytes.toString('latin1', 148, 156)) && tarChecksumFits(bytes.subarray(0, 512));
}

const CMS: Readonly<Record<CmsKind, Kind>> = {
  signed: { type: 'other', format: 'p7m' },
  compressed: { type: 'archive', format: 'p7z' },
  encrypted: { type: 'encrypted', format: 'smime' },
};

/** The start of a FAT or NTFS volume, or a table of partitions: what is in it is mounted at a click. */
function isFileSystem(bytes: Buffer): boolean {
  if (bytes.length < 1024 || bytes[510] !== 0x55 || bytes[511] !== 0xaa) return false;
  if (bytes.toString('latin1', 512, 520) === 'EFI PART') return true;
  const jumps = bytes[0] === 0xeb || bytes[0] === 0xe9;
  return (
    jumps &&
    /^(NTFS    |EXFAT   )|FAT(12|16|32)? {0,3}/.test(
      `${bytes.toString('latin1', 3, 11)}${bytes.toString('latin1', 54, 90)}`,
    )
  );
}

function dosFormat(bytes: Buffer): string {
  if (bytes.length < 64) return 'dos';
  const offset = bytes.readUInt32LE(60);
  const mark = offset + 4 <= bytes.length ? bytes.toString('latin1', offset, offset + 2) : '';
  return mark === 'PE' ? 'pe' : mark === 'NE' ? 'ne' : 'dos';
}

function isoMedia(brand: string): Kind {
  if (/^(heic|heix|mif1|msf1|avif|avis)$/.test(brand))
    return { type: 'image', format: brand.startsWith('av') ? 'avif' : 'heic' };
  if (brand.startsWith('M4A')) return { type: 'audio', format: 'm4a' };
  return { type: 'video', format: 'mp4' };
}
