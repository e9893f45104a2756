import { z } from 'zod';
import { CHARSET_NAMES, charsetNamed } from './charset-names.js';
import { nearest } from './suggest.js';

/** A charset, as its preferred MIME name. */
export const charset = z
  .string()
  .transform((value, context): string => {
    const mime = charsetNamed(value.trim())?.mime;
    if (mime !== undefined) return mime;
    const meant = nearest(value, CHARSET_NAMES);
    const hint =
      meant === undefined ? 'such as utf-8, iso-8859-2, windows-1251 or shift_jis' : `did you mean \`${meant}\`?`;
    const message = `"${value.slice(0, 60)}" is not a charset that mail can be written in`;
    context.issues.push({ code: 'custom', input: value, message, params: { hint } });
    return z.NEVER;
  })
  .meta({ kind: 'charset' });
