import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

interface ZipFile {
  readonly name: string;
  readonly data: Buffer;
}

/**
 * A small zip of stored entries, for demonstration mail.
 * @param password encrypts with the traditional cipher of APPNOTE 6.1
 */
export function makeZip(files: readonly ZipFile[], password?: string): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const checksum = crc32(file.data);
    const data = password === undefined ? file.data : encrypt(file.data, checksum, password);
    const name = Buffer.from(file.name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(password === undefined ? 0 : 1, 2);
    common.writeUInt32LE(0x5a210000, 6);
    common.writeUInt32LE(checksum, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(file.data.length, 18);
    common.writeUInt16LE(name.length, 22);
    local.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, data);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, name);
    offset += 30 + name.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

function encrypt(data: Buffer, checksum: number, password: string): Buffer {
  const keys = new Keys();
  for (const byte of Buffer.from(password)) keys.update(byte);
  const header = randomBytes(12);
  header[11] = checksum >>> 24;
  return Buffer.from([...header, ...data].map((byte) => keys.encrypt(byte)));
}

/** The three keys of the traditional cipher. */
class Keys {
  private k0 = 0x12345678;
  private k1 = 0x23456789;
  private k2 = 0x34567890;

  update(byte: number): void {
    this.k0 = step(this.k0, byte);
    this.k1 = (Math.imul(this.k1 + (this.k0 & 0xff), 134775813) + 1) | 0;
    this.k2 = step(this.k2, this.k1 >>> 24);
  }

  encrypt(byte: number): number {
    const temp = (this.k2 | 2) & 0xffff;
    const stream = (Math.imul(temp, temp ^ 1) >>> 8) & 0xff;
    this.update(byte);
    return byte ^ stream;
  }
}

/** One byte through a CRC-32 register without its inversions. */
function step(register: number, byte: number): number {
  let value = (register ^ byte) & 0xff;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return (register >>> 8) ^ value;
}
