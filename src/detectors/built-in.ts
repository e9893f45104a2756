import { antispam } from './antispam/antispam.js';
import { antivirus } from './antivirus/antivirus.js';
import { authentication } from './authentication/authentication.js';
import { content } from './content.js';
import { external } from './external/external.js';
import { links } from './links/links.js';
import { signatures } from './signatures/signatures.js';
import type { DetectorModule } from './types.js';

/** All modules that come with Gatepost. A new one is its own file and a line here. */
export const BUILT_IN: readonly DetectorModule[] = [
  content,
  signatures,
  antivirus,
  antispam,
  authentication,
  links,
  external,
];

/** Names that findings of the gateway itself bear. */
export const RESERVED: readonly string[] = ['message'];
