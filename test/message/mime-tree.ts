import fc from 'fast-check';

/** A MIME tree to be rendered; leaves hold their raw body. */
export type Tree =
  | { readonly kind: 'leaf'; readonly fields: readonly string[]; readonly body: string }
  | { readonly kind: 'multipart'; readonly children: readonly Tree[]; readonly preamble: string }
  | { readonly kind: 'message'; readonly subject: string; readonly child: Tree };

/** Where a rendered leaf stands. */
export interface Leaf {
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

export interface Rendered {
  readonly bytes: Buffer;
  readonly leaves: readonly Leaf[];
  /** Parts of all kinds. */
  readonly count: number;
}

/** Renders a tree as a message; boundaries are numbered, and the deeper ones have the outer ones as prefixes. */
export function render(tree: Tree): Rendered {
  let out = 'From: a@example.org\r\nMIME-Version: 1.0\r\n';
  const leaves: Leaf[] = [];
  let count = 0;
  let boundaries = 0;

  const entity = (node: Tree, start: number): void => {
    count += 1;
    if (node.kind === 'leaf') {
      out += node.fields.map((field) => `${field}\r\n`).join('');
      out += '\r\n';
      const bodyStart = out.length;
      out += node.body;
      leaves.push({ start, bodyStart, end: out.length });
    } else if (node.kind === 'multipart') {
      boundaries += 1;
      const boundary = `b${'x'.repeat(boundaries)}`;
      out += `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${node.preamble}`;
      for (const child of node.children) {
        out += `\r\n--${boundary}\r\n`;
        entity(child, out.length);
      }
      out += `\r\n--${boundary}--`;
    } else {
      out += 'Content-Type: message/rfc822\r\n\r\n';
      const inner = out.length;
      out += `From: b@example.org\r\nSubject: ${node.subject}\r\n`;
      entity(node.child, inner);
    }
  };
  entity(tree, 0);
  return { bytes: Buffer.from(out, 'latin1'), leaves, count };
}

const line = fc.stringMatching(/^[ -,.-~]{0,60}$/);
const body = fc.array(line, { maxLength: 5 }).map((lines) => lines.join('\r\n'));
const fields = fc.subarray([
  'Content-Type: text/plain; charset=utf-8',
  'Content-Disposition: attachment; filename="a.bin"',
  'Content-Description: first\r\n second line',
  'X-Anything: 1',
]);

export const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('leaf' as const), fields, body }),
    fc.record({
      kind: fc.constant('multipart' as const),
      children: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      preamble: line,
    }),
    fc.record({ kind: fc.constant('message' as const), subject: fc.constant('inner'), child: tie('tree') }),
  ),
})).tree;
