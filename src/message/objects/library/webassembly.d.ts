/** The little of the WebAssembly interface that is used: the libraries of Node's types leave it to those of browsers. */
declare namespace WebAssembly {
  type ExportValue = ((...args: readonly number[]) => number) | Memory;
  type ImportFunction = (...args: readonly number[]) => number;

  interface Module {
    readonly [Symbol.toStringTag]: string;
  }

  const Module: {
    new (bytes: Uint8Array): Module;
    imports(module: Module): readonly { readonly module: string; readonly name: string }[];
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

  class RuntimeError extends Error {}
}
