/** The little of the WebAssembly interface that is used: the libraries of Node's types leave it to those of browsers. */
declare namespace WebAssembly {
  type ExportValue = ((...args: readonly number[]) => number) | Memory | Global;
  type ImportFunction = (...args: readonly number[]) => number;

  interface Module {
    readonly [Symbol.toStringTag]: string;
  }

  const Module: {
    new (bytes: Uint8Array): Module;
    imports(module: Module): readonly { readonly module: string; readonly name: string; readonly kind: string }[];
  };

  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, ImportFunction>>>>);
    readonly exports: Readonly<Record<string, ExportValue>>;
  }

  class Memory {
    constructor(descriptor: { readonly initial: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  class Global {
    constructor(descriptor: { readonly value: 'i64'; readonly mutable: true }, value: bigint);
    value: bigint;
  }

  class RuntimeError extends Error {}
}
