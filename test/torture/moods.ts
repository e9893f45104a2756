import type { FakeScript } from '../support/fake-smtp.js';
import type { Random } from './random.js';

/** A next hop in all its moods. `bad@` is refused for good, also by the one in the best. */
export function moody(random: Random): FakeScript {
  return {
    greeting: () => {
      if (random.chance(0.03)) return 'close';
      return random.chance(0.03) ? '421 4.3.2 busy' : undefined;
    },
    mail: () => (random.chance(0.02) ? '451 4.3.0 later' : undefined),
    rcpt: (to) => {
      if (isBad(to)) return NEVER;
      return random.chance(0.08) ? '450 4.2.1 not now' : undefined;
    },
    data: () => (random.chance(0.01) ? 'close' : undefined),
    end: () => {
      const dice = random();
      if (dice < 0.05) return '451 4.3.2 try again';
      if (dice < 0.08) return 'close';
      if (dice < 0.1) return 'swallow';
      if (dice < 0.25) return { reply: '250 2.0.0 at last', after: random.between(20, 600) };
      if (dice < 0.27) return { reply: '250 2.0.0 very late', after: random.between(1000, 2500) };
      return undefined;
    },
  };
}

/** A server for notifications: it refuses none for good. */
export function fickle(random: Random): FakeScript {
  return {
    greeting: () => (random.chance(0.05) ? '421 4.3.2 busy' : undefined),
    rcpt: () => (random.chance(0.05) ? '450 4.2.1 not now' : undefined),
    end: () => {
      const dice = random();
      if (dice < 0.05) return '451 4.3.2 try again';
      if (dice < 0.07) return 'swallow';
      return dice < 0.2 ? { reply: '250 2.0.0 at last', after: random.between(20, 400) } : undefined;
    },
  };
}

/** A server for notifications that sometimes takes longer for a mail than a job's lock in the queue lasts. */
export function slow(random: Random): FakeScript {
  const usual = fickle(random);
  return {
    ...usual,
    end: (argument, session) => {
      if (random.chance(0.005)) return { reply: '250 2.0.0 after a long look', after: random.between(15_000, 35_000) };
      return typeof usual.end === 'function' ? usual.end(argument, session) : usual.end;
    },
  };
}

/** Takes everything at once that is ever taken. */
export const KIND: FakeScript = { rcpt: (to) => (isBad(to) ? NEVER : undefined) };

const NEVER = '550 5.1.1 there is nobody of that name';

function isBad(to: string): boolean {
  return to.includes('<bad@');
}
