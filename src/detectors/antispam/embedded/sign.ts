/** A mark of spam (or, with negative points, against it) that a message bears. */
export interface Sign {
  /** For people and the trace: lower-case words with dashes. */
  readonly name: string;
  readonly points: number;
}
