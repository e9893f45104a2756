import { isAscii } from 'node:buffer';
import { automaticReason } from '../message/automatic.js';
import type { IntakeReport } from '../message/envelope.js';
import type { Message } from '../message/types.js';
import type { MessageFacts } from './types.js';

/** What the value of a field begins with that marks our own blind copies. */
export const LOOP_MARK = 'gatepost-copy';
/** More marks than a message can have come round with. */
const MAX_LOOPS = 100;

export function factsOf(message: Message, intake: IntakeReport): MessageFacts {
  const automatic = automaticReason(message, intake);
  const loops = message
    .header('x-loop')
    .filter((value) => value.startsWith(`${LOOP_MARK} `))
    .slice(0, MAX_LOOPS);
  return {
    size: message.bytes.length,
    subject: message.subject,
    messageId: message.messageId,
    from: message.addresses('from'),
    ...(automatic === undefined ? {} : { automatic }),
    eightBit: !isAscii(message.bytes),
    ...(loops.length === 0 ? {} : { loops }),
  };
}
