import { encodeTime } from 'ulid';

/** A text that sorts before all ULIDs of that time and behind all earlier ones. @param time ms since the epoch */
export function ulidFloor(time: number): string {
  return encodeTime(Math.max(0, Math.floor(time)), 10);
}
