/** A timer that does not keep the process alive: `look` is called after `first` ms, and then every so many ms until it is closed. */
export function lookAgain(
  { first, every }: { readonly first: number; readonly every: number },
  look: () => void,
): { close(): Promise<void> } {
  let timer = setTimeout(next, first).unref();

  function next(): void {
    timer = setTimeout(next, every).unref();
    look();
  }

  return {
    close: () => {
      clearTimeout(timer);
      return Promise.resolve();
    },
  };
}
