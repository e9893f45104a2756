/** The header of a file in a RAR. */
export interface RarRecord {
  readonly name: string;
  readonly packed: number;
  readonly claimed: number;
  readonly encrypted: boolean;
  readonly folder: boolean;
  /** It goes on in, or comes from, another volume. */
  readonly split: boolean;
  readonly stored: boolean;
  /** Where the packed bytes start. */
  readonly data: number;
  /** CRC-32 of the unpacked bytes; undefined where there is none. */
  readonly crc: number | undefined;
}

export interface RarHeaders {
  readonly records: readonly RarRecord[];
  /** The headers themselves are encrypted. */
  readonly encrypted: boolean;
  readonly end: 'end' | 'damaged' | 'cut';
}
