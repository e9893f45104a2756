import { z } from 'zod';
import { Mark } from '../../message/mark.js';

const MIN_BYTES = 4;
const MAX_BYTES = 1024;
const MAX_PATTERNS = 1000;

/** A byte sequence that is looked for anywhere in an object. */
export interface Pattern {
  readonly name: string;
  readonly mark: Mark;
}

const hex = z
  .string()
  .transform((text) => text.replace(/\s+/g, ''))
  .superRefine((text, context) => {
    const bytes = text.length / 2;
    if (!/^([0-9a-f]{2})*$/i.test(text)) {
      context.addIssue({
        code: 'custom',
        message: 'not a sequence of bytes in hexadecimal digits',
        params: { hint: 'write two digits for each byte, such as "4d5a9000"; spaces may stand between' },
      });
    } else if (bytes < MIN_BYTES || bytes > MAX_BYTES) {
      context.addIssue({
        code: 'custom',
        message: `a pattern has ${MIN_BYTES} to ${MAX_BYTES} bytes, this has ${bytes}`,
      });
    }
  });

const pattern = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\p{Cc}]*$/u, 'a name has no control characters'),
  hex,
});

export const patternsSchema = z.array(pattern).max(MAX_PATTERNS).default([]);

export function compilePatterns(given: z.output<typeof patternsSchema>): readonly Pattern[] {
  return given.map(({ name, hex: digits }) => ({ name, mark: new Mark(Buffer.from(digits, 'hex')) }));
}
