import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Content } from '../message/source.js';
import { durableFiles, type DurableFiles } from '../store/files.js';
import type { MaildirTarget } from './hop-url.js';
import { codeOf } from '../store/errors.js';
import { isOwnLack } from './own-lack.js';
import { ownReply } from './reply.js';
import type { HopReply, HopResult, NextHop, OutgoingMail, RecipientResult } from './types.js';

/**
 * A next hop that is a folder in Maildir form. The bytes are kept as they are, CRLF included; `Return-Path` and one
 * `Delivered-To` for each recipient go on top (RFC 5321 4.4).
 */
export function maildirHop(target: MaildirTarget, files: DurableFiles = durableFiles()): NextHop {
  const temporary = path.join(target.folder, 'tmp');
  const fresh = path.join(target.folder, 'new');
  const host = os.hostname().replace(/[/:]/g, '_');
  let count = 0;
  let made: Promise<void> | undefined;

  async function make(): Promise<void> {
    for (const folder of [temporary, fresh, path.join(target.folder, 'cur')])
      await mkdir(folder, { recursive: true, mode: 0o700 });
    await files.syncFolder(target.folder);
    await files.syncFolder(path.dirname(target.folder));
  }

  function prepare(): Promise<void> {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  }

  function uniqueName(): string {
    count += 1;
    const now = Date.now();
    const seconds = Math.floor(now / 1000);
    return `${seconds}.M${(now % 1000) * 1000}P${process.pid}Q${count}R${randomBytes(4).toString('hex')}.${host}`;
  }

  /** @returns false when it is not wanted any more, and was not put there */
  async function write(mail: OutgoingMail): Promise<boolean> {
    await prepare();
    try {
      const staged = await files.stage(
        path.join(fresh, uniqueName()),
        withTop(topLines(mail), mail.content),
        temporary,
      );
      if (mail.wanted?.() === false) {
        await staged.discard();
        return false;
      }
      await staged.commit();
      return true;
    } catch (error) {
      // Someone may have removed the folders: the next attempt makes them again.
      made = undefined;
      throw error;
    }
  }

  return {
    name: target.name,
    async send(mail): Promise<HopResult> {
      try {
        if (!(await write(mail))) {
          const reply = ownReply(451, '4.4.7', 'given up: it was held up for too long');
          return { recipients: all(mail, 'deferred', reply), hopFailed: false };
        }
      } catch (error) {
        const reply = ownReply(452, '4.3.1', `the Maildir cannot be written (${codeOf(error) ?? 'error'})`);
        const recipients = all(mail, 'deferred', reply);
        return isOwnLack(error) ? { recipients, hopFailed: false, ownLack: true } : { recipients, hopFailed: true };
      }
      const reply = ownReply(250, '2.0.0', 'delivered to the Maildir');
      return {
        recipients: mail.recipients.map(({ address }) => ({ address, state: 'delivered', reply, dsn: 'final' })),
        hopFailed: false,
      };
    },
    async probe() {
      made = undefined;
      await prepare();
    },
    close: () => Promise.resolve(),
  };
}

function topLines(mail: OutgoingMail): Buffer {
  const lines = [
    `Return-Path: <${oneLine(mail.sender)}>`,
    ...mail.recipients.map(({ address }) => `Delivered-To: ${oneLine(address)}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

async function* withTop(top: Buffer, content: Content): AsyncGenerator<Buffer> {
  yield top;
  yield* content.read();
}

function oneLine(address: string): string {
  return address.replace(/\p{Cc}/gu, '');
}

function all(mail: OutgoingMail, state: RecipientResult['state'], reply: HopReply): RecipientResult[] {
  return mail.recipients.map(({ address }) => ({ address, state, reply }));
}
