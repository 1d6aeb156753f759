/** `npx cachecord`: the admin commands put up and taken down from a shell. */
import { cacheCommandData } from '../plugin/plugin.ts';
import { type DeployProgram, runDeploy } from './deploy.ts';

const PACKAGE: DeployProgram = {
  name: 'npx cachecord',
  commands: ({ config, writeBehind }) => cacheCommandData(config, { writeBehind }),
};

/** Runs it as this process, which ends with its exit code. */
export async function main(program: DeployProgram = PACKAGE): Promise<void> {
  process.exitCode = await runDeploy(program, {
    argv: process.argv.slice(2),
    env: process.env,
    out: (line) => console.info(line),
    err: (line) => console.error(line),
  });
}
