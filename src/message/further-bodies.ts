import { BodyPart } from './body-text.js';
import type { SecondReading } from './second-opinion.js';

/** Text of the second reading that the first one does not have. */
export function furtherBodies(second: SecondReading, own: readonly BodyPart[]): readonly BodyPart[] {
  if (second.text === '' && second.html === '') return [];
  const known = new Set(own.map(({ text }) => tidy(text)));
  const whole = tidy(own.map(({ text }) => text).join(' '));
  const isNew = (text: string): boolean => {
    const seen = tidy(text);
    return seen !== '' && !known.has(seen) && !whole.includes(seen);
  };
  const further: BodyPart[] = [];
  if (isNew(second.text)) further.push(new BodyPart(0, false, second.text));
  if (isNew(second.html)) further.push(new BodyPart(0, true, second.html));
  return further;
}

/** Readers differ on white space, and mailparser joins HTML parts with tags of its own. */
function tidy(text: string): string {
  return text
    .replace(/<br\s*\/>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
