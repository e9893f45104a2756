import { isAscii } from 'node:buffer';
import { automaticReason } from '../message/automatic.js';
import type { IntakeReport } from '../message/envelope.js';
import type { Message } from '../message/types.js';
import type { MessageFacts } from './types.js';

export function factsOf(message: Message, intake: IntakeReport): MessageFacts {
  const automatic = automaticReason(message, intake);
  return {
    size: message.bytes.length,
    subject: message.subject,
    messageId: message.messageId,
    from: message.addresses('from'),
    ...(automatic === undefined ? {} : { automatic }),
    eightBit: !isAscii(message.bytes),
  };
}
