/** The admin commands, as a list: four, and one more where there is a write-behind. A new command is one new file and one line here. */
import type { Config } from '../config/config.ts';
import { inEveryLanguage } from './catalogue.ts';
import { clearCommand } from './clear-command.ts';
import type { AdminCommand } from './command.ts';
import { infoCommand } from './info-command.ts';
import { statsCommand } from './stats-command.ts';
import { warmCommand } from './warm-command.ts';
import { writesCommand } from './writes-command.ts';

/** Pure but for the panels the commands will keep: reading the definitions starts nothing. */
export function adminCommands(
  config: Config,
  { writeBehind = false }: { readonly writeBehind?: boolean } = {},
): readonly AdminCommand[] {
  const warm = warmCommand(config);
  const commands = [
    statsCommand(config),
    clearCommand(warm.panels),
    warm.command,
    infoCommand(config),
    ...(writeBehind ? [writesCommand()] : []),
  ];
  return commands.map((command) => ({ ...command, data: inEveryLanguage(command.data) }));
}
