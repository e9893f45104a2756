import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { encodeAnswer, parseQuery, type RecordType } from './fake-dns-wire.js';

/** What the server says about one name. A name with data of other types only is answered without data (NODATA). */
export interface NameData {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Texts; one of more than 255 bytes is cut into strings, and a list is several strings of one record. */
  readonly TXT?: readonly (string | readonly string[])[];
  /** The record type of RFC 4408 (99); SPF records in use are TXT. */
  readonly SPF?: readonly string[];
  readonly MX?: readonly { readonly exchange: string; readonly priority: number }[];
  readonly PTR?: readonly string[];
  readonly NS?: readonly string[];
  readonly CNAME?: string;
  /** Seconds; default 60. */
  readonly ttl?: number;
  /** Answers with this code and no records. */
  readonly rcode?: 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'FORMERR' | 'NOTIMP';
  /** Never answers, neither over UDP nor over TCP. */
  readonly silent?: boolean;
  /** The whole answer is only to be had over TCP. Answers over the size that the client takes are cut anyway. */
  readonly truncated?: boolean;
  /** Answers with bytes that are no DNS message. */
  readonly garbage?: boolean;
  /** The codes above hold for this type alone. */
  readonly only?: RecordType;
  /** ms before the answer. */
  readonly delay?: number;
}

/** Names, in any case and without the final dot, and what is said about them; `*.example.org` takes what is below. */
export type Zone = Readonly<Record<string, NameData>>;

export interface Query {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
}

/**
 * A DNS server for tests, on 127.0.0.1 and a free port, UDP and TCP. It knows the names of its zone and says NXDOMAIN to
 * all others.
 */
export class FakeDns {
  /** All questions in the order in which they came. */
  readonly queries: Query[] = [];
  /** As `node:dns` and the configuration take it: `127.0.0.1:5353`. */
  readonly address: string;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #zone = new Map<string, NameData>();
  readonly #open = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(udp: UdpSocket, tcp: Server, port: number, zone: Zone) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = `127.0.0.1:${port}`;
    for (const [name, data] of Object.entries(zone)) this.set(name, data);
    udp.on('message', (message, peer) => {
      this.#answer(message, 'udp', (bytes) => udp.send(bytes, peer.port, peer.address));
    });
    tcp.on('connection', (socket) => this.#serve(socket));
  }

  static async start(zone: Zone = {}): Promise<FakeDns> {
    for (let attempt = 0; ; attempt++) {
      const tcp = createServer();
      const port = await listen(tcp);
      const udp = createSocket('udp4');
      try {
        await bind(udp, port);
        return new FakeDns(udp, tcp, port, zone);
      } catch (error) {
        udp.close();
        tcp.close();
        if (attempt >= 10) throw error;
      }
    }
  }

  /** Adds a name or replaces what is said about it. */
  set(name: string, data: NameData): void {
    this.#zone.set(name.toLowerCase().replace(/\.$/, ''), data);
  }

  /** The server does not know the name any more. */
  delete(name: string): void {
    this.#zone.delete(name.toLowerCase());
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#open) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0);
        const message = pending.subarray(2, 2 + length);
        pending = pending.subarray(2 + length);
        this.#answer(message, 'tcp', (bytes) => {
          const size = Buffer.alloc(2);
          size.writeUInt16BE(bytes.length);
          socket.write(Buffer.concat([size, bytes]));
        });
      }
    });
  }

  #answer(message: Buffer, transport: 'udp' | 'tcp', send: (bytes: Buffer) => void): void {
    const query = parseQuery(message);
    if (query === undefined) return;
    this.queries.push({ name: query.name, type: query.type, transport });
    const data = this.#find(query.name);
    const special = data?.only === undefined || data.only === query.type;
    if (special && data?.silent === true) return;
    const bytes =
      special && data?.garbage === true
        ? Buffer.from('this is no DNS message')
        : encodeAnswer(query, data, {
            transport,
            special,
            exists: data !== undefined || this.#hasBelow(query.name),
            find: (name) => this.#find(name.toLowerCase()),
          });
    const wait = special ? (data?.delay ?? 0) : 0;
    if (wait === 0) {
      send(bytes);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send(bytes);
    }, wait);
    this.#timers.add(timer);
  }

  #find(name: string): NameData | undefined {
    const exact = this.#zone.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const wild = this.#zone.get(`*${name.slice(dot)}`);
      if (wild !== undefined) return wild;
    }
    return undefined;
  }

  /** A name with names below it exists, though it has no data (RFC 8020). */
  #hasBelow(name: string): boolean {
    return [...this.#zone.keys()].some((known) => known.endsWith(`.${name}`));
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function bind(socket: UdpSocket, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
}
