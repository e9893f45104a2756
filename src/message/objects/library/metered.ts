/** The module uses something that this rewriting does not know: another version of it, perhaps. */
export class UnknownModule extends Error {}

const GLOBAL_SECTION = 6;
const EXPORT_SECTION = 7;
const CODE_SECTION = 10;
const LOOP = 0x03;

/** Name under which the counter is exported. */
export const STEPS = 'steps left';

/**
 * Rewrites a WebAssembly module so that it counts how often its loops go round: a hostile file can keep any decoder
 * turning for ever, and nothing else can stop one that runs in the thread of its caller. The counter is an exported
 * global (`STEPS`); at zero the module traps.
 * @throws {UnknownModule} when the module holds an instruction that is not known here
 */
export function metered(module: Uint8Array): Buffer<ArrayBuffer> {
  const reader = new Reader(Buffer.from(module.buffer, module.byteOffset, module.byteLength));
  const out: Buffer[] = [reader.take(8)];
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(Buffer.from(module))).filter(isGlobal).length;
  let counter = imported;
  while (!reader.done()) {
    const id = reader.byte();
    const body = new Reader(reader.take(reader.number()));
    let content = body.all;
    if (id === GLOBAL_SECTION) {
      const count = body.number();
      counter = imported + count;
      // A mutable i64 that starts at zero.
      content = Buffer.concat([number(count + 1), body.rest(), Buffer.from([0x7e, 0x01, 0x42, 0x00, 0x0b])]);
    } else if (id === EXPORT_SECTION) {
      const name = Buffer.from(STEPS);
      const count = number(body.number() + 1);
      content = Buffer.concat([count, body.rest(), number(name.length), name, Buffer.from([0x03]), number(counter)]);
    } else if (id === CODE_SECTION) {
      content = meterCode(body, counter);
    }
    out.push(Buffer.from([id]), number(content.length), content);
  }
  return Buffer.concat(out);
}

function isGlobal({ kind }: { readonly kind: string }): boolean {
  return kind === 'global';
}

function meterCode(section: Reader, counter: number): Buffer {
  const index = number(counter);
  // if (steps == 0) trap; steps -= 1
  const check = Buffer.concat([
    Buffer.from([0x23]),
    index,
    Buffer.from([0x50, 0x04, 0x40, 0x00, 0x0b, 0x23]),
    index,
    Buffer.from([0x42, 0x01, 0x7d, 0x24]),
    index,
  ]);
  const count = section.number();
  const out: Buffer[] = [number(count)];
  for (let at = 0; at < count; at += 1) {
    const body = new Reader(section.take(section.number()));
    const pieces: Buffer[] = [];
    let from = 0;
    for (let locals = body.number(); locals > 0; locals -= 1) {
      body.number();
      body.byte();
    }
    while (!body.done()) {
      if (!skipInstruction(body)) continue;
      pieces.push(body.all.subarray(from, body.at), check);
      from = body.at;
    }
    const code = Buffer.concat([...pieces, body.all.subarray(from)]);
    out.push(number(code.length), code);
  }
  return Buffer.concat(out);
}

/** Goes past one instruction (WebAssembly Core 2.0, 5.4); true when a loop begins with it. */
function skipInstruction(code: Reader): boolean {
  const op = code.byte();
  switch (op) {
    case 0x02:
    case LOOP:
    case 0x04:
      code.number();
      return op === LOOP;
    case 0x0e:
      for (let labels = code.number(); labels >= 0; labels -= 1) code.number();
      return false;
    case 0x1c:
      code.take(code.number());
      return false;
    case 0x43:
      code.take(4);
      return false;
    case 0x44:
      code.take(8);
      return false;
    case 0xfc:
      skipNumbers(code, PREFIXED.get(code.number()));
      return false;
    default:
      skipNumbers(code, immediates(op));
      return false;
  }
}

/** How many numbers follow an instruction of the 0xfc group. */
const PREFIXED: ReadonlyMap<number, number> = new Map([
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((op): [number, number] => [op, 0]),
  [8, 2],
  [9, 1],
  [10, 2],
  [11, 1],
  [12, 2],
  [13, 1],
  [14, 2],
  [15, 1],
  [16, 1],
  [17, 1],
]);

/** How many numbers follow an instruction of one byte; undefined when there is none of that code. */
function immediates(op: number): number | undefined {
  if (op <= 0x01 || op === 0x05 || op === 0x0b || op === 0x0f || op === 0x1a || op === 0x1b) return 0;
  if (op === 0x0c || op === 0x0d || op === 0x10) return 1;
  if (op === 0x11) return 2;
  if (op >= 0x20 && op <= 0x26) return 1;
  if (op >= 0x28 && op <= 0x3e) return 2;
  if (op >= 0x3f && op <= 0x42) return 1;
  if (op >= 0x45 && op <= 0xc4) return 0;
  if (op === 0xd0 || op === 0xd2) return 1;
  return op === 0xd1 ? 0 : undefined;
}

function skipNumbers(code: Reader, count: number | undefined): void {
  if (count === undefined) throw new UnknownModule('an instruction that is not known');
  for (let left = count; left > 0; left -= 1) code.number();
}

/** An unsigned number as LEB128. */
function number(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

class Reader {
  readonly all: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.all = bytes;
  }

  done(): boolean {
    return this.at >= this.all.length;
  }

  byte(): number {
    const byte = this.all[this.at];
    if (byte === undefined) throw new UnknownModule('it ends too early');
    this.at += 1;
    return byte;
  }

  /** A number as LEB128, of 64 bits at most; of a longer or negative one only the length counts. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      if (shift < 28) value |= (byte & 0x7f) << shift;
      else if (shift === 28) value += (byte & 0x0f) * 2 ** 28;
      if (byte < 0x80) return value;
    }
    throw new UnknownModule('a number that is too long');
  }

  take(length: number): Buffer {
    if (this.at + length > this.all.length) throw new UnknownModule('it ends too early');
    const piece = this.all.subarray(this.at, this.at + length);
    this.at += length;
    return piece;
  }

  rest(): Buffer {
    return this.take(this.all.length - this.at);
  }
}
