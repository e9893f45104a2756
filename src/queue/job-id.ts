import { QueueError } from './errors.js';

/**
 * A job ID in the form that BullMQ takes: it forbids colons and whole numbers, and on Redis a job whose ID is the name
 * of a part of the queue (`id`, `wait`, `stalled-check`) would be written over that part. Other IDs stay as they are.
 * @throws QueueError for an empty ID
 */
export function encodeJobId(id: string): string {
  if (id === '') throw new QueueError('invalid', 'a job needs an ID');
  const safe = id.replace(/[%:\0]/g, escapeCharacter);
  return /^(\d+|[a-z-]+)$/.test(safe) ? `${escapeCharacter(safe.slice(0, 1))}${safe.slice(1)}` : safe;
}

/** The ID that `encodeJobId` was given. */
export function decodeJobId(encoded: string): string {
  return encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
