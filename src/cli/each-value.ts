/**
 * Collects the values of an option that may be given several times. Each takes the one value behind it: what follows, such
 * as an ID, is an argument of the command.
 */
export function each(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
