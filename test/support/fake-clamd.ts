import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How a fake clamd answers streams. */
export type ClamdBehaviour =
  | { readonly kind: 'scan' }
  /** Takes everything and never answers. */
  | { readonly kind: 'stall' }
  /** Answers scans only when told to by `release`. */
  | { readonly kind: 'hold' }
  /** Closes the connection where the answer should come. */
  | { readonly kind: 'close' }
  /** Closes once, at the next command of a connection that was used before; then scans. */
  | { readonly kind: 'close-used' }
  | { readonly kind: 'say'; readonly text: string }
  /** Answers streams over that many bytes in their midst, and hangs up. */
  | { readonly kind: 'limit'; readonly bytes: number };

export interface FakeClamd {
  /** For `detectors.antivirus.clamd`. */
  readonly address: string;
  behaviour: ClamdBehaviour;
  /** What VERSION is answered with. */
  version: string;
  /** Connections that were ever taken. */
  readonly connections: number;
  /** The most that were open at the same time. */
  readonly mostOpen: number;
  /** Streams that came to their end. */
  readonly streams: readonly Buffer[];
  /** Answers all scans that are held back. */
  release(): void;
  /** Stops listening and ends all connections; connecting is refused from then on. */
  close(): Promise<void>;
}

export interface FakeClamdOptions {
  readonly behaviour?: ClamdBehaviour;
  /** Whether IDSESSION is known. */
  readonly sessions?: boolean;
  /** A unix socket instead of a port. */
  readonly unix?: boolean;
}

/** Words that the fake finds in a stream, by the name of the threat. */
export const FAKE_THREATS: Readonly<Record<string, string>> = {
  'Fake.Worm': 'fake-worm-body',
  'Heuristics.Encrypted.Zip': 'fake-encrypted-body',
  'Heuristics.OLE2.ContainsMacros.VBA': 'fake-macro-body',
  'Heuristics.Limits.Exceeded.MaxFiles': 'fake-limits-body',
};

/** A server that speaks as much of clamd's protocol as the module uses, and misbehaves on demand. */
export async function startFakeClamd(options: FakeClamdOptions = {}): Promise<FakeClamd> {
  const folder = options.unix === true ? await mkdtemp(path.join(tmpdir(), 'gatepost-clamd-')) : undefined;
  const state = new State(options);
  const server = createServer((socket) => state.accept(socket));
  await new Promise<void>((resolve) => {
    if (folder === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path.join(folder, 'ctl'), resolve);
  });
  state.address = folder === undefined ? `tcp://127.0.0.1:${portOf(server)}` : `unix://${path.join(folder, 'ctl')}`;
  state.onClose = async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of state.sockets) socket.destroy();
    });
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  return state;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

class State implements FakeClamd {
  address = '';
  behaviour: ClamdBehaviour;
  version = 'ClamAV 1.4.6/27823/Sat Nov 21 09:12:31 2026';
  connections = 0;
  mostOpen = 0;
  readonly streams: Buffer[] = [];
  readonly sockets = new Set<Socket>();
  readonly sessions: boolean;
  onClose: () => Promise<void> = () => Promise.resolve();
  private held: (() => void)[] = [];

  constructor({ behaviour, sessions }: FakeClamdOptions) {
    this.behaviour = behaviour ?? { kind: 'scan' };
    this.sessions = sessions ?? true;
  }

  accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    this.mostOpen = Math.max(this.mostOpen, this.sockets.size);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
    const conversation = new Conversation(socket, this);
    socket.on('data', (chunk: Buffer) => conversation.take(chunk));
  }

  hold(answer: () => void): void {
    this.held.push(answer);
  }

  release(): void {
    for (const answer of this.held.splice(0)) answer();
  }

  async close(): Promise<void> {
    await this.onClose();
  }
}

/** One connection: commands up to NUL, and behind INSTREAM chunks with their length in front. */
class Conversation {
  private readonly socket: Socket;
  private readonly fake: State;
  private buffer = Buffer.alloc(0);
  private stream: Buffer[] | undefined;
  private session = false;
  private commands = 0;

  constructor(socket: Socket, fake: State) {
    this.socket = socket;
    this.fake = fake;
  }

  take(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    while (!this.socket.destroyed && (this.stream === undefined ? this.takeCommand() : this.takeChunk()));
  }

  private takeCommand(): boolean {
    const end = this.buffer.indexOf(0);
    if (end < 0) return false;
    const command = this.buffer.toString('latin1', 0, end);
    this.buffer = this.buffer.subarray(end + 1);
    if (command === 'zIDSESSION' && this.fake.sessions) {
      this.session = true;
      return true;
    }
    this.commands++;
    const { behaviour } = this.fake;
    if (behaviour.kind === 'close-used' && this.commands > 1) {
      this.fake.behaviour = { kind: 'scan' };
      this.socket.destroy();
      return false;
    }
    if (command === 'zINSTREAM') this.stream = [];
    else if (behaviour.kind === 'stall') return true;
    else if (behaviour.kind === 'say') this.answer(behaviour.text);
    else if (command === 'zPING') this.answer('PONG');
    else if (command === 'zVERSION') this.answer(this.fake.version);
    else this.answer('UNKNOWN COMMAND', true);
    return true;
  }

  private takeChunk(): boolean {
    if (this.buffer.length < 4) return false;
    const length = this.buffer.readUInt32BE(0);
    if (this.buffer.length < 4 + length) return false;
    const chunk = this.buffer.subarray(4, 4 + length);
    this.buffer = this.buffer.subarray(4 + length);
    this.stream?.push(chunk);
    const { behaviour } = this.fake;
    const size = this.stream?.reduce((sum, one) => sum + one.length, 0) ?? 0;
    if (behaviour.kind === 'limit' && size > behaviour.bytes) {
      this.answer('INSTREAM size limit exceeded. ERROR', true);
      return false;
    }
    if (length > 0) return true;
    const bytes = Buffer.concat(this.stream ?? []);
    this.stream = undefined;
    this.fake.streams.push(bytes);
    this.verdict(bytes, behaviour);
    return true;
  }

  private verdict(bytes: Buffer, behaviour: ClamdBehaviour): void {
    const threat = Object.entries(FAKE_THREATS).find(([, word]) => bytes.includes(word))?.[0];
    const text = threat === undefined ? 'stream: OK' : `stream: ${threat} FOUND`;
    const number = this.commands;
    switch (behaviour.kind) {
      case 'stall':
        return;
      case 'hold':
        this.fake.hold(() => this.answer(text, false, number));
        return;
      case 'close':
        this.socket.destroy();
        return;
      case 'say':
        this.answer(behaviour.text);
        return;
      case 'scan':
      case 'close-used':
      case 'limit':
        this.answer(text);
    }
  }

  private answer(text: string, last = false, number = this.commands): void {
    if (this.session && !last) this.socket.write(`${number}: ${text}\0`);
    else this.socket.end(this.session ? `${number}: ${text}\0` : `${text}\0`);
  }
}
