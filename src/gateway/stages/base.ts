import { openEvents } from '../../events/service.js';
import type { EventService } from '../../events/types.js';
import { openStore, type OpenStore } from '../../store/open.js';
import type { Store } from '../../store/types.js';
import { removeLeftovers } from '../leftovers.js';
import { nodeFacts } from '../nodes/facts.js';
import { nodeIdentity } from '../nodes/identity.js';
import { Membership } from '../nodes/membership.js';
import { adoptProcesses } from '../processes/adopt.js';
import { forgetProcesses } from '../processes/forget.js';
import { sharedBy } from '../processes/shared.js';
import { startRetention } from '../retention.js';
import type { Setup } from '../setup.js';
import { watchStore, type StoreWatch } from '../watch/store.js';
import type { Begun } from './begin.js';

/** What the node knows and says of itself. */
export interface Base {
  readonly store: OpenStore;
  /** The same, with a quarantine whose bounds are kept. */
  readonly watchedStore: Store;
  readonly storeWatch: StoreWatch;
  readonly events: EventService;
  readonly nodes: Membership;
  /** Rules whose hits are counted. */
  readonly knowRules: (setup: Setup) => void;
}

/** Opens the store, events and the node's place among the others, and takes over what former processes left behind. */
export async function openBase(begun: Begun): Promise<Base> {
  const { whole, setup, config, spoolFolder, inForce, roles, place, parts, operator, later, log } = begun;
  const { data } = whole.config;
  const opening = parts.add(await openStore(config, log, place && sharedBy(data, place)), (s) => s.close());
  await removeLeftovers(config.data);
  // Before anything looks at the spool and the outbox.
  const gone = (place?.number ?? 1) > 1 ? [] : await adoptProcesses(data, place?.of ?? 1, log);
  const store: OpenStore = operator.notifying({ ...opening, journal: operator.journal(opening.journal) });
  const events = parts.add(
    await openEvents({ node: config.node.name, folder: config.data, store: store.events, log }),
    (e) => e.close(),
  );
  void forgetProcesses(gone, store, log);
  const retention = parts.add(startRetention({ config, store, events, log, spool: spoolFolder }), (r) => r.close());
  const knowRules = ({ bundle }: Setup): void =>
    store.counters.know(bundle.rules.filter((rule) => rule.enabled).map((rule) => rule.id));
  knowRules(setup);
  const storeWatch = parts.add(watchStore(store, events, config.health, log), (w) => w.close());
  const nodes = parts.add(
    await Membership.open({
      nodes: store.nodes,
      eventStore: store.events,
      events,
      identity: await nodeIdentity(config.data),
      facts: () => nodeFacts(inForce, roles, later.port),
      log,
    }),
    (n) => n.close(),
  );
  return {
    store,
    watchedStore: { ...store, quarantine: retention.quarantine },
    ...{ storeWatch, events, nodes, knowRules },
  };
}
