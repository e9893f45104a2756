import type { Command } from 'commander';
import { nearest } from '../config/suggest.js';

/**
 * Gives a program and its groups of commands a `help [command...]` each that refuses what is no command, which that of
 * the library passes by.
 */
export function addHelpCommands(group: Command): void {
  const groups = group.commands.filter(isGroup);
  group
    .helpCommand(false)
    .command('help')
    .description('show the help of a command')
    .argument('[command...]')
    .action((names: readonly string[]) => {
      let at = group;
      for (const name of names) at = find(at, name) ?? refuse(at, name);
      at.help();
    });
  for (const one of groups) addHelpCommands(one);
}

/**
 * Refuses a name in the place of a command that is none, also where an option behind it would ask for help first.
 * @param args those behind the name of the program
 * @throws CommanderError
 */
export function checkCommandNames(root: Command, args: readonly string[]): void {
  let at: Command = root;
  for (const name of args) {
    if (name.startsWith('-') || !isGroup(at)) return;
    at = find(at, name) ?? refuse(at, name);
  }
}

const isGroup = (command: Command): boolean => command.commands.length > 0;

function find(group: Command, name: string): Command | undefined {
  return group.commands.find((one) => one.name() === name);
}

function refuse(at: Command, name: string): never {
  if (!isGroup(at)) at.error(`error: '${at.name()}' has no commands below it, such as '${name}'`);
  const names = at.commands.map((one) => one.name());
  const meant = nearest(name, names);
  const hint = meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${meant}?`;
  at.error(`error: unknown command '${name}'\n(${hint})`);
}
