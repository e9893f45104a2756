/** What the rest of the program needs of the detectors. Threads import `active.js` alone: they read no configuration. */
export { closeDetectors, createDetectors, onErrorOf } from './active.js';
export { configureDetectors, type ConfiguredDetectors } from './configure.js';
