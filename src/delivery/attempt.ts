import type { Envelope, EnvelopeRecipient } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { Destination, Destinations } from './destinations.js';
import { ownReply } from './reply.js';
import type { OutgoingMail, RecipientResult } from './types.js';

/** What is tried for a copy. */
export interface AttemptInput {
  readonly item: string;
  readonly envelope: Envelope;
  readonly content: Content;
  readonly eightBit: boolean;
  /** As in OutgoingMail. */
  readonly sevenBit?: OutgoingMail['sevenBit'];
  /** As in OutgoingMail. */
  readonly wanted?: OutgoingMail['wanted'];
  readonly route?: string;
}

export interface AttemptedRecipient extends RecipientResult {
  readonly hop: string;
  /** False when the hop was not asked as it is known to be away. */
  readonly tried: boolean;
}

/**
 * What is tried for a copy that has just come.
 *
 * Its own fields come first: V8 gives a copy of an object that gets a further field at its end a shape of its own each time,
 * and keeps shapes until it clears up everywhere.
 */
export function inputFor(request: Omit<AttemptInput, 'wanted'>, content: Content, wanted: () => boolean): AttemptInput {
  return { wanted, ...request, content };
}

/** The recipients of a copy by where their mail goes. */
export function byDestination(
  { envelope, route }: AttemptInput,
  destinations: Destinations,
): Map<Destination, EnvelopeRecipient[]> {
  const groups = new Map<Destination, EnvelopeRecipient[]>();
  for (const recipient of envelope.recipients) {
    const destination = destinations.of(recipient.address, route);
    const group = groups.get(destination);
    if (group === undefined) groups.set(destination, [recipient]);
    else group.push(recipient);
  }
  return groups;
}

/** Tries all recipients, each destination in its own transaction at the same time. Never rejects. */
export async function attempt(
  input: AttemptInput,
  groups: ReadonlyMap<Destination, readonly EnvelopeRecipient[]>,
): Promise<AttemptedRecipient[]> {
  const { envelope } = input;
  const results = await Promise.all(
    [...groups].map(async ([destination, recipients]) => {
      if (!destination.available) return recipients.map(({ address }) => notTried(address, destination));
      const mail: OutgoingMail = {
        id: input.item,
        sender: envelope.sender,
        recipients,
        content: input.content,
        smtpUtf8: envelope.smtpUtf8,
        eightBit: input.eightBit,
        ...(input.sevenBit === undefined ? {} : { sevenBit: input.sevenBit }),
        ...(input.wanted === undefined ? {} : { wanted: input.wanted }),
        ...(envelope.ret === undefined ? {} : { ret: envelope.ret }),
        ...(envelope.envid === undefined ? {} : { envid: envelope.envid }),
      };
      const result = await destination.send(mail);
      return result.recipients.map((one) => ({ hop: destination.name, tried: true, ...one }));
    }),
  );
  return results.flat();
}

/** For mail that is spooled without being tried. */
export function notTried(address: string, destination: Destination): AttemptedRecipient {
  const reply = ownReply(451, '4.4.1', 'the next server is not available');
  return { address, state: 'deferred', reply, hop: destination.name, tried: false };
}

/** A content whose bytes move to another place while someone may still ask for them. */
export class MovableContent implements Content {
  #place: Content;

  constructor(place: Content) {
    this.#place = place;
  }

  get size(): number {
    return this.#place.size;
  }

  moveTo(place: Content): void {
    this.#place = place;
  }

  read(): ReturnType<Content['read']> {
    return this.#place.read();
  }
}
