import type { Config } from '../../config/load.js';
import type { Template, Templates } from '../../notifications/templates/load.js';
import type { Setup } from '../setup.js';
import { hasRules } from './judge.js';

/** The set that is in force, for those who look when they need it. */
export class InForce {
  hash: string;
  loadedAt = new Date();
  /** Folder of the rules; absent when it held no rule files. */
  ownRules: string | undefined;
  private setup: Setup;
  /** The set before: mails that were owed under it may still have to be rendered. */
  private earlier: Templates | undefined;

  constructor(setup: Setup, hash: string, ownRules: string | undefined) {
    this.ownRules = ownRules;
    this.setup = setup;
    this.hash = hash;
  }

  get current(): Setup {
    return this.setup;
  }

  get config(): Config {
    return this.setup.config;
  }

  /** Always those of the set in force; what it does not have is taken from the one before. */
  readonly templates: Templates = liveTemplates(
    () => this.setup.templates,
    () => this.earlier,
  );

  change(setup: Setup, hash: string, ownRules: string | undefined): void {
    this.ownRules = ownRules;
    this.earlier = this.setup.templates;
    this.setup = setup;
    this.hash = hash;
    this.loadedAt = new Date();
  }
}

function liveTemplates(now: () => Templates, before: () => Templates | undefined): Templates {
  return {
    get: (name: string, language?: string): Template | undefined =>
      now().get(name, language) ?? before()?.get(name, language),
    get names() {
      return now().names;
    },
  };
}

/** The folder of a configuration's rules when there are rule files in it. */
export async function ownRulesOf({ rules }: Config): Promise<string | undefined> {
  return (await hasRules(rules)) ? rules : undefined;
}
