import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TraceId } from '../message/trace-id.js';
import { LOOP_MARK } from '../pipeline/facts.js';
import { durableFiles, isMissing } from '../store/files.js';

const FILE = 'copy.key';
const KEY_BYTES = 32;
const MAC_LENGTH = 22;

/**
 * Marks the blind copies that this node sends, so that one that comes back makes no further ones: a copy to an address
 * that is forwarded to us would else double with each round. The mark cannot be forged: with a forged one a sender
 * could keep his mail out of an archive.
 */
export interface CopyMark {
  /** A header field with its CRLF. */
  field(traceId: TraceId): string;
  /** @param values of the loop fields that a message bears */
  isOurs(values: readonly string[]): boolean;
}

/** @param data folder of the node; the key is made when there is none. @throws the file system's error */
export async function openCopyMark(data: string): Promise<CopyMark> {
  return copyMark(await readKey(data));
}

export function copyMark(key: Buffer): CopyMark {
  const mac = (id: string): string =>
    createHmac('sha256', key).update(`blind copy ${id}`).digest('base64url').slice(0, MAC_LENGTH);
  return {
    field: (traceId) => `X-Loop: ${LOOP_MARK} ${traceId} ${mac(traceId)}\r\n`,
    isOurs: (values) =>
      values.some((value) => {
        const [, id = '', given = ''] = value.split(' ');
        return given.length === MAC_LENGTH && timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(mac(id)));
      }),
  };
}

async function readKey(data: string): Promise<Buffer> {
  const file = path.join(data, FILE);
  try {
    const key = Buffer.from((await readFile(file, 'latin1')).trim(), 'hex');
    if (key.length === KEY_BYTES) return key;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  // One that is damaged is replaced: copies that were marked with it are no longer known, and nothing else depends on it.
  const key = randomBytes(KEY_BYTES);
  await mkdir(data, { recursive: true, mode: 0o711 });
  await durableFiles().replace(file, [Buffer.from(`${key.toString('hex')}\n`)]);
  return key;
}
