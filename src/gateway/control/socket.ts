import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, connect, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { codeOf, messageOf } from '../../store/errors.js';
import { durableFiles, isMissing } from '../../store/files.js';
import type { Log } from '../../telemetry/log.js';

/** `sun_path` without its final NUL: Linux has 108 bytes, others 104. */
const SOCKET_PATH_MAX = process.platform === 'linux' ? 107 : 103;
const MAX_REQUEST = 64 * 1024;
const MAX_ANSWER = 64 * 2 ** 20;
/** For a whole conversation, ms. */
const PATIENCE = 10_000;
const MAX_CONVERSATIONS = 16;

/** What a request of that name is answered with: any JSON. @param details what the request says beyond its name, unchecked */
export type ControlHandler = (details: unknown) => Promise<unknown>;

export interface ControlServer {
  close(): Promise<void>;
}

/** Where the socket of a gateway lies, or says where it is. */
export function controlFolder(data: string): string {
  return path.join(data, 'control');
}

/** No gateway runs on this data folder, or it does not answer. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** Nobody waits for the answer any more. */
class HungUpError extends Error {
  override readonly name = 'HungUpError';
}

/**
 * Answers commands on the same machine, over a socket that only the gateway's own account can reach: in
 * `<data>/control`, or in a temporary folder when that path would be too long for a socket. A request is one line of
 * JSON, `{"request": NAME, "details": ...}`, and so is the answer, `{"answer": ...}` or `{"error": TEXT}`.
 * @param handlers by the request's name
 */
export async function openControl(
  data: string,
  handlers: Readonly<Record<string, ControlHandler>>,
  log: Log,
): Promise<ControlServer> {
  const folder = controlFolder(data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const own = path.join(folder, 'sock');
  const fits = Buffer.byteLength(own) <= SOCKET_PATH_MAX;
  const elsewhere = fits ? undefined : await mkdtemp(path.join(os.tmpdir(), 'gatepost-'));
  const socket = elsewhere === undefined ? own : path.join(elsewhere, 'sock');
  // What a killed gateway left. Another one cannot be running: the data folder is locked.
  await rm(own, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
    void converse(client, handlers, log);
  });
  server.maxConnections = MAX_CONVERSATIONS;
  await listen(server, socket);
  await chmod(socket, 0o600);
  await durableFiles().replace(path.join(folder, 'place.json'), `${JSON.stringify({ socket, pid: process.pid })}\n`);
  return {
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const client of sockets) client.destroy();
      });
      await rm(path.join(folder, 'place.json'), { force: true });
      if (elsewhere !== undefined) await rm(elsewhere, { recursive: true, force: true });
    },
  };
}

/**
 * Asks the gateway that runs on a data folder.
 * @param patience for the whole conversation, ms
 * @throws NotRunningError when there is none, or it does not answer in time; Error when it may not be asked, or refuses
 */
export async function askControl(
  data: string,
  request: string,
  details?: unknown,
  patience = PATIENCE,
): Promise<unknown> {
  const socket = await placeOf(data);
  const answer: unknown = JSON.parse(await exchange(socket, `${JSON.stringify({ request, details })}\n`, patience));
  if (typeof answer === 'object' && answer !== null) {
    if ('answer' in answer) return answer.answer;
    if ('error' in answer && typeof answer.error === 'string') throw new Error(answer.error);
  }
  throw new Error('the gateway gave an answer that is none');
}

async function placeOf(data: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path.join(controlFolder(data), 'place.json'), 'utf8');
  } catch (error) {
    if (isMissing(error)) throw new NotRunningError(`no gateway runs on ${data}`);
    if (codeOf(error) === 'EACCES')
      throw new Error(`the gateway on ${data} belongs to another user: work as the user that it runs as`, {
        cause: error,
      });
    throw new NotRunningError(`the gateway on ${data} cannot be asked: ${messageOf(error)}`);
  }
  const place: unknown = JSON.parse(text);
  if (typeof place === 'object' && place !== null && 'socket' in place && typeof place.socket === 'string')
    return place.socket;
  throw new NotRunningError(`the gateway on ${data} does not say where it can be asked`);
}

async function exchange(socket: string, line: string, patience: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const client = connect(socket, () => client.write(line));
    client.setTimeout(patience, () => client.destroy(new NotRunningError('the gateway does not answer in time')));
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER) client.destroy(new Error('the answer is too long'));
    });
    client.on('end', () => resolve(Buffer.concat(chunks).toString()));
    client.on('error', (error) => {
      const gone = ['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '');
      reject(gone ? new NotRunningError('the gateway was not stopped in the ordinary way, and does not run') : error);
    });
  });
}

async function converse(client: Socket, handlers: Readonly<Record<string, ControlHandler>>, log: Log): Promise<void> {
  client.on('error', (error) => log.debug({ reason: messageOf(error) }, 'a command has hung up'));
  client.setTimeout(PATIENCE, () => client.destroy());
  try {
    const asked = requestOf(await firstLine(client));
    const handler = asked !== undefined && Object.hasOwn(handlers, asked.name) ? handlers[asked.name] : undefined;
    if (asked === undefined || handler === undefined)
      client.end(`${JSON.stringify({ error: 'there is no such request' })}\n`);
    else client.end(`${JSON.stringify({ answer: await handler(asked.details) })}\n`);
  } catch (error) {
    if (error instanceof HungUpError) {
      log.debug({ reason: error.message }, 'a command was not answered');
      return;
    }
    const reference = randomBytes(4).toString('hex');
    log.warn({ reference, reason: messageOf(error) }, 'a command could not be answered');
    client.end(`${JSON.stringify({ error: `the gateway could not answer; its log says more (${reference})` })}\n`);
  }
}

async function firstLine(client: Socket): Promise<string> {
  let text = '';
  return await new Promise((resolve, reject) => {
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > MAX_REQUEST) reject(new Error('the request is too long'));
    });
    client.on('close', () => reject(new HungUpError('the command has hung up')));
  });
}

function requestOf(line: string): { readonly name: string; readonly details: unknown } | undefined {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || !('request' in value)) return undefined;
  if (typeof value.request !== 'string') return undefined;
  return { name: value.request, details: 'details' in value ? value.details : undefined };
}

async function listen(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: one of several processes listens by itself, not through the one above them.
    server.listen({ path: socket, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
