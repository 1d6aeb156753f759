import { readdir } from 'node:fs/promises';
import { type Command, isCommand } from '../commands/index.ts';
import { type Event, isEvent } from '../events/index.ts';

/** The default exports of the files in a folder, `index.ts` apart, as far as they are what is looked for. */
async function loadStructures<T>(folder: URL, isWanted: (value: unknown) => value is T): Promise<T[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && file !== 'index.ts');
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href)));
  return modules.map((module): unknown => module.default).filter(isWanted);
}

export async function loadCommands(folder: URL): Promise<Map<string, Command>> {
  const commands = await loadStructures(folder, isCommand);
  return new Map(commands.map((command) => [command.data.name, command]));
}

export function loadEvents(folder: URL): Promise<Event[]> {
  return loadStructures(folder, isEvent);
}
