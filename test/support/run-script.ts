/**
 * Runs JavaScript as a CommonJS module of a bot, in sloppy mode unless it says otherwise, with `cachecord` being the
 * source of this repository, and other files of the bot being what the test hands in.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import * as cachecord from '../../src/index.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Surroundings {
  /** What the script calls without declaring it. */
  readonly names?: Readonly<Record<string, unknown>>;
  /** The bot's other files, and packages that stand in for others: by what `require` is given. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Constants of the script that the test wants to see. */
  readonly wanted?: readonly string[];
}

/**
 * Gives what the script exports, or the constants that are wanted.
 * @param place where it stands in the repository, such as `docs/migration.md:9`, for stack traces
 */
export function runScript(
  code: string,
  place: string,
  { names = {}, modules = {}, wanted }: Surroundings,
): unknown {
  const nodeRequire = createRequire(join(ROOT, 'package.json'));
  const requireOf = (name: string) => {
    if (Object.hasOwn(modules, name)) return modules[name];
    return name === 'cachecord' ? cachecord : nodeRequire(name);
  };
  const end = wanted === undefined ? '' : `\nreturn { ${wanted.join(', ')} };`;
  const module = { exports: {} };
  const parameters = { ...names, require: requireOf, module, exports: module.exports };
  const [file = '', line = '1'] = place.split(':');
  // The same realm as the test, so that its errors and classes are the ones that the test knows.
  const run = compileFunction(code + end, Object.keys(parameters), {
    filename: join(ROOT, file),
    lineOffset: Number(line) - 1,
  });
  const result: unknown = run(...Object.values(parameters));
  return wanted === undefined ? module.exports : result;
}
