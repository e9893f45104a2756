import { z } from 'zod';
import { duration, size } from '../../config/values.js';
import { clamdAddress } from './address.js';

export const settings = z.strictObject({
  clamd: z
    .union([z.array(clamdAddress).min(1).max(16), clamdAddress.transform((one) => [one])])
    .prefault('tcp://127.0.0.1:3310')
    .describe('tcp://host:port or unix:///path of clamd; of several the first that works'),
  maxSize: size
    .prefault('100MiB')
    .describe('larger messages and attachments are not sent to clamd, which is a `limit`'),
  maxDatabaseAge: duration.prefault('7d').describe('age at which the signature databases count as outdated'),
  connections: z.int().min(1).max(100).default(8).describe('to each clamd from each scanning thread, at most'),
  objects: z
    .enum(['anomalous', 'always', 'never'])
    .default('anomalous')
    .describe('when attachments and archive entries are sent one by one, besides the message as a whole'),
});

export type AntivirusSettings = z.output<typeof settings>;
