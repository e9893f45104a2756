import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../src/message/read.js';
import type { Message, MessageObject } from '../../../src/message/types.js';
import { compileMask, fold } from '../../../src/rules/mask.js';
import { objectTexts } from '../../../src/rules/view.js';
import { LIMITS } from '../mail.js';
import { BODY_TRICKS } from './body-tricks.js';
import { BOUNDARY_TRICKS } from './boundary-tricks.js';
import { CONTAINER_TRICKS } from './container-tricks.js';
import { ENCODING_TRICKS } from './encoding-tricks.js';
import { HEADER_TRICKS } from './header-tricks.js';
import { NAME_TRICKS } from './name-tricks.js';
import { OFFICE_TRICKS } from './office-tricks.js';
import { PAGE_TRICKS } from './page-tricks.js';
import { PART_TRICKS } from './part-tricks.js';
import { EICAR, type Trick } from './trick.js';

async function read(bytes: Buffer): Promise<Message> {
  const message = readMessage(bytes, LIMITS);
  await message.secondOpinion(5000);
  return message;
}

/** As the module `signatures` tells the test file, or as the bytes tell a program. */
function isForbidden(object: MessageObject): boolean {
  const content = object.content();
  if (content === undefined) return false;
  return (
    object.type === 'executable' || (content.includes(EICAR) && content.indexOf(EICAR) === 0 && content.length <= 128)
  );
}

const all: readonly Trick[] = [
  ...HEADER_TRICKS,
  ...BOUNDARY_TRICKS,
  ...ENCODING_TRICKS,
  ...NAME_TRICKS,
  ...PART_TRICKS,
  ...PAGE_TRICKS,
  ...BODY_TRICKS,
  ...CONTAINER_TRICKS,
  ...OFFICE_TRICKS,
];

/** What is looked for instead of the attachment, where a trick names that. */
async function isSeen(message: Message, { problem, macro, format, shows }: Trick): Promise<boolean | undefined> {
  if (problem !== undefined) return message.problems.some(({ detail }) => detail.includes(problem));
  if (macro !== undefined) return message.objects.some((object) => object.macro);
  if (format !== undefined) return message.objects.some((object) => object.format === format);
  return shows === undefined ? undefined : (await message.text()).text.includes(shows);
}

function describeMessage({ anomalies, objects, problems }: Message): string {
  const seen = objects.map(({ path, format }) => `${path} (${format})`);
  return [...seen, ...anomalies.map(({ name }) => name), ...problems.map(({ detail }) => detail)].join(', ');
}

describe('a forbidden attachment is found', () => {
  it.each(all.map((trick) => [trick.name, trick] as const))('%s', async (_, trick) => {
    const message = await read(trick.bytes);
    const names = message.anomalies.map(({ name }) => name);
    if (trick.anomaly !== undefined) expect(names).toContain(trick.anomaly);
    if (trick.onlyAnomaly === true) return;
    const seen = await isSeen(message, trick);
    if (seen !== undefined) {
      expect(seen, describeMessage(message)).toBe(true);
      return;
    }
    expect(message.objects.filter(isForbidden).length, describeMessage(message)).toBeGreaterThan(0);
    if (trick.called === undefined) return;
    const mask = compileMask(trick.called);
    const called = message.objects
      .filter(isForbidden)
      .flatMap((object) => objectTexts(object, 'attachment.name').map(({ folded }) => folded));
    expect(called.filter((name) => mask(fold(name))).length, called.join()).toBeGreaterThan(0);
  });

  it('has enough of them, each with a name of its own', () => {
    expect(all.length).toBeGreaterThanOrEqual(200);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});
