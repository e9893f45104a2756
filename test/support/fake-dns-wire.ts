import ipaddr from 'ipaddr.js';
import type { NameData } from './fake-dns.js';

/** DNS messages as bytes (RFC 1035 4): what the fake server needs of them. */

const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SPF: 99 } as const;
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
const OPT = 41;

export type RecordType = Exclude<keyof typeof TYPES, 'SOA'>;

export interface ParsedQuery {
  readonly id: number;
  /** In lower case. */
  readonly name: string;
  readonly type: string;
  /** The question as it came, to be sent back. */
  readonly question: Buffer;
  /** Bytes that the client takes over UDP (RFC 6891). */
  readonly size: number;
  readonly recursionDesired: boolean;
}

export function parseQuery(message: Buffer): ParsedQuery | undefined {
  if (message.length < 17 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = message[at] ?? 64;
    if (length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length) return undefined;
  const number = message.readUInt16BE(at);
  const end = at + 4;
  const hasOpt = message.readUInt16BE(10) > 0 && message.length >= end + 11 && message.readUInt16BE(end + 1) === OPT;
  const known = Object.entries(TYPES).find(([, value]) => value === number);
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: known?.[0] ?? `TYPE${number}`,
    question: Buffer.from(message.subarray(12, end)),
    size: hasOpt ? Math.max(512, message.readUInt16BE(end + 3)) : 512,
    recursionDesired: ((message[2] ?? 0) & 1) === 1,
  };
}

export interface AnswerOptions {
  readonly transport: 'udp' | 'tcp';
  /** Codes and cuts hold for this question. */
  readonly special: boolean;
  /** Tells a name without data from one that there is not. */
  readonly exists: boolean;
  /** For the target of an alias: its records are sent along, as a recursive server does. */
  find(name: string): NameData | undefined;
}

export function encodeAnswer(query: ParsedQuery, data: NameData | undefined, options: AnswerOptions): Buffer {
  const { transport, special, exists } = options;
  const rcode = (special ? data?.rcode : undefined) ?? (exists ? 'NOERROR' : 'NXDOMAIN');
  const records = rcode === 'NOERROR' && data !== undefined ? recordsOf(query, data, options) : [];
  const whole = assemble(query, RCODES[rcode], records, false);
  const cut = transport === 'udp' && ((special && data?.truncated === true) || whole.length > query.size);
  return cut ? assemble(query, RCODES[rcode], [], true) : whole;
}

function assemble(query: ParsedQuery, rcode: number, records: readonly Buffer[], truncated: boolean): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.id, 0);
  const flags = 0x8480 | (truncated ? 0x0200 : 0) | (query.recursionDesired ? 0x0100 : 0) | rcode;
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.question, ...records]);
}

function recordsOf(query: ParsedQuery, data: NameData, options: AnswerOptions): Buffer[] {
  const records: Buffer[] = [];
  let owner: Buffer = Buffer.from([0xc0, 12]);
  let current: NameData | undefined = data;
  for (let hop = 0; hop < 8 && current !== undefined; hop++) {
    const alias: string | undefined = current.CNAME;
    const ttl = current.ttl ?? 60;
    if (alias === undefined || query.type === 'CNAME') {
      for (const [type, content] of contentsOf(query.type, current)) records.push(record(owner, type, ttl, content));
      break;
    }
    records.push(record(owner, TYPES.CNAME, ttl, encodeName(alias)));
    owner = encodeName(alias);
    current = options.find(alias);
  }
  return records;
}

function contentsOf(type: string, data: NameData): [number, Buffer][] {
  const of = (number: number, contents: readonly Buffer[]): [number, Buffer][] =>
    contents.map((content) => [number, content]);
  switch (type) {
    case 'A':
      return of(TYPES.A, (data.A ?? []).map(encodeAddress));
    case 'AAAA':
      return of(TYPES.AAAA, (data.AAAA ?? []).map(encodeAddress));
    case 'TXT':
      return of(TYPES.TXT, (data.TXT ?? []).map(encodeTexts));
    case 'SPF':
      return of(TYPES.SPF, (data.SPF ?? []).map(encodeTexts));
    case 'PTR':
      return of(TYPES.PTR, (data.PTR ?? []).map(encodeName));
    case 'NS':
      return of(TYPES.NS, (data.NS ?? []).map(encodeName));
    case 'CNAME':
      return of(TYPES.CNAME, data.CNAME === undefined ? [] : [encodeName(data.CNAME)]);
    case 'MX':
      return of(TYPES.MX, (data.MX ?? []).map(encodeExchange));
    default:
      return [];
  }
}

function encodeExchange({ exchange, priority }: { readonly exchange: string; readonly priority: number }): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(priority);
  return Buffer.concat([bytes, encodeName(exchange)]);
}

function record(owner: Buffer, type: number, ttl: number, content: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(content.length, 8);
  return Buffer.concat([owner, head, content]);
}

function encodeName(name: string): Buffer {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function encodeAddress(address: string): Buffer {
  return Buffer.from(ipaddr.parse(address).toByteArray());
}

function encodeTexts(text: string | readonly string[]): Buffer {
  const strings = typeof text === 'string' ? cut(Buffer.from(text)) : text.map((one) => Buffer.from(one));
  return Buffer.concat(strings.map((bytes) => Buffer.concat([Buffer.from([bytes.length]), bytes])));
}

function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length || pieces.length === 0; at += 255) pieces.push(bytes.subarray(at, at + 255));
  return pieces;
}
