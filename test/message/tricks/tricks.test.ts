import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../src/message/read.js';
import type { Message, MessageObject } from '../../../src/message/types.js';
import { compileMask, fold } from '../../../src/rules/mask.js';
import { objectTexts } from '../../../src/rules/view.js';
import { LIMITS } from '../mail.js';
import { BOUNDARY_TRICKS } from './boundary-tricks.js';
import { ENCODING_TRICKS } from './encoding-tricks.js';
import { HEADER_TRICKS } from './header-tricks.js';
import { NAME_TRICKS } from './name-tricks.js';
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

const all: readonly Trick[] = [...HEADER_TRICKS, ...BOUNDARY_TRICKS, ...ENCODING_TRICKS, ...NAME_TRICKS];

describe('a forbidden attachment is found', () => {
  it.each(all.map((trick) => [trick.name, trick] as const))('%s', async (_, trick) => {
    const message = await read(trick.bytes);
    const names = message.anomalies.map(({ name }) => name);
    if (trick.anomaly !== undefined) expect(names).toContain(trick.anomaly);
    if (trick.onlyAnomaly === true) return;
    expect(
      message.objects.filter(isForbidden).length,
      `${names.join()} ${message.objects.map((o) => o.path).join()}`,
    ).toBeGreaterThan(0);
    if (trick.called === undefined) return;
    const mask = compileMask(trick.called);
    const called = message.objects
      .filter(isForbidden)
      .flatMap((object) => objectTexts(object, 'attachment.name').map(({ folded }) => folded));
    expect(called.filter((name) => mask(fold(name))).length, called.join()).toBeGreaterThan(0);
  });

  it('has enough of them, each with a name of its own', () => {
    expect(all.length).toBeGreaterThanOrEqual(60);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});
