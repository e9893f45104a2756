import { fork, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { notificationId } from '../../src/notifications/identity.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from '../../src/notifications/job.js';
import type { NewJob } from '../../src/queue/types.js';
import { openQueue } from '../../src/queue/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { owedNotification } from '../notifications/support.js';
import { startTestStore } from '../support/postgres.js';
import { redisMissing, startRedis } from '../support/redis.js';
import { seeded } from './random.js';

const MAILS = 20_000;
const WORKERS = 2;
const SEED = Number(process.env['TORTURE_SEED'] ?? '1');
const WORKER = path.join(import.meta.dirname, 'notification-worker.mjs');

/** An SMTP server that counts what it takes, by Message-ID, and refuses some for a while. */
class CountingServer {
  readonly taken = new Map<string, number>();
  failing = 0.03;
  readonly #next: () => number;
  readonly #server = net.createServer((socket) => this.#serve(socket));
  refused = 0;

  constructor(next: () => number) {
    this.#next = next;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `smtp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}?tls=off`;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: net.Socket): void {
    let text = '';
    let inData = false;
    socket.setEncoding('latin1');
    socket.on('error', () => socket.destroy());
    socket.write('220 sink ESMTP\r\n');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (;;) {
        const end = text.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) {
          inData = false;
          socket.write(this.#take(part));
          continue;
        }
        const verb = part.slice(0, 4).toUpperCase();
        inData = verb === 'DATA';
        const ready = verb === 'EHLO' ? '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n' : '250 ok\r\n';
        socket.write(inData ? '354 go\r\n' : ready);
      }
    });
  }

  #take(mail: string): string {
    if (this.#next() < this.failing) {
      this.refused++;
      return '451 later\r\n';
    }
    const id = /^Message-ID:\s*<([^>]+)>/im.exec(mail)?.[1] ?? '';
    this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
    return '250 ok\r\n';
  }
}

describe.skipIf(redisMissing || process.env['TORTURE'] !== 'long')('the real queue and database', () => {
  it(`${String(MAILS)} mails are sent once, over kills of workers and of Redis and failures of the server`, async () => {
    const next = seeded(SEED);
    const server = new CountingServer(next);
    const url = await server.listen();
    const redis = await startRedis(['--appendonly', 'yes']);
    const database = await startTestStore();
    const { store, dataFolder } = database;
    const pool = new pg.Pool({ ...store.connection, max: 2 });
    const { config } = await parseConfig(`data: ${dataFolder}\nqueue: ${redis.url}\n`, dataFolder);
    const queue = await openQueue(config, store, silentLog());
    const workers = new Map<number, ChildProcess>();
    try {
      const owed = new Map<string, NewJob<NotificationJob>>();
      for (let n = 0; n < MAILS; n++) {
        const one = owedNotification({ traceId: newTraceId() });
        const id = notificationId(one.traceId, one.template, one.to);
        owed.set(id, { id, data: { notification: { ...one, id } }, delay: 0 });
      }
      const jobs = queue.queue<NotificationJob>(NOTIFICATION_QUEUE);
      /** As the outbox does: what has no final state is in the queue, whatever became of that. */
      const add = async (): Promise<void> => {
        const all = [...owed.values()];
        for (let n = 0; n < all.length; n += 100) await jobs.addAll(all.slice(n, n + 100)).catch(() => undefined);
      };
      const start = async (place: number): Promise<void> => {
        const child = fork(WORKER, [dataFolder, redis.url, url], { stdio: 'ignore' });
        workers.set(place, child);
        await new Promise((resolve) => child.once('message', resolve).once('exit', resolve));
      };
      const kill = async (child: ChildProcess): Promise<void> => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      };
      const sentIds = async (): Promise<ReadonlySet<string>> => {
        const { rows } = await pool.query<{ id: string; message_id: string }>(
          "SELECT id, message_id FROM gatepost.notification WHERE state = 'sent'",
        );
        for (const { id } of rows) owed.delete(id);
        return new Set(rows.map(({ message_id: id }) => id));
      };
      await add();
      await Promise.all(Array.from({ length: WORKERS }, async (_, place) => await start(place)));
      const windows = new Set<string>();
      const sum = { kills: 0, restarts: 0 };
      let added = Date.now();
      while (owed.size > 0) {
        await sleep(500 + next() * 1500);
        const place = Math.floor(next() * WORKERS);
        const child = workers.get(place);
        expect([...workers.values()].map(({ exitCode }) => exitCode)).toEqual([null, null]);
        if (next() < 0.5 && child !== undefined && owed.size > 500) {
          const others = [...workers.values()].filter((each) => each !== child);
          // Held still, so that what was in the window of the killed one can be told from their own.
          for (const other of others) other.kill('SIGSTOP');
          await kill(child);
          sum.kills++;
          const sent = await sentIds();
          for (const id of server.taken.keys()) if (!sent.has(id)) windows.add(id);
          for (const other of others) other.kill('SIGCONT');
          await start(place);
        } else if (next() < 0.3) {
          await redis.stop();
          await redis.start();
          sum.restarts++;
        } else server.failing = next() < 0.2 ? 0.6 : 0.03;
        await sentIds();
        if (Date.now() - added > 15_000) {
          await add();
          added = Date.now();
        }
      }
      const twice = [...server.taken].filter(([, times]) => times > 1);
      expect(server.taken.size).toBe(MAILS);
      expect(twice.filter(([id]) => !windows.has(id))).toEqual([]);
      expect(sum.kills).toBeGreaterThan(0);
      expect(sum.restarts).toBeGreaterThan(0);
      process.stdout.write(
        `seed ${String(SEED)}: ${String(MAILS)} mails, ${String(sum.kills)} workers killed, ${String(sum.restarts)} restarts of Redis, ${String(server.refused)} times put off; ${String(twice.length)} sent twice, all of the ${String(windows.size)} in the window between 250 and commit\n`,
      );
    } finally {
      for (const child of workers.values()) child.kill('SIGKILL');
      await queue.close(0);
      await pool.end();
      server.close();
      await database.stop();
      await redis.dispose();
    }
  }, 3_600_000);
});
