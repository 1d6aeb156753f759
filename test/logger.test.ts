/** Lines as the host's logger gets them. */
import { expect, it } from 'vitest';
import { tokenFreeLogger } from '../src/commands/token-free.ts';
import { guardedLogger, type Logger, silentLogger } from '../src/logger.ts';

const wrappers = { guardedLogger, tokenFreeLogger };

it.each(Object.entries(wrappers))(
  '%s hands on a line without fields as it is, so that no console writes "undefined"',
  (_, wrap) => {
    const lines: unknown[][] = [];
    const info: Logger['info'] = (...line) => void lines.push(line);
    const logger = wrap({ ...silentLogger, info });
    logger.info('ready');
    logger.info('ready', { guilds: 2 });
    expect(lines).toEqual([['ready'], ['ready', { guilds: 2 }]]);
  },
);
