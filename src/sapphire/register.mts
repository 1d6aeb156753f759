/**
 * `import 'cachecord/sapphire/register'` puts Cachecord into a bot on Sapphire. Importing it registers the hooks and
 * does nothing else, as is Sapphire's convention; the work begins with the client that has the option `cachecord`.
 * What the hooks do is in `hooks.ts`; for bots in CommonJS, `register.cts` is this file.
 */
import '../entries/node-version.cts';
import './augmentation.mts';
import * as framework from '@sapphire/framework';
import { hookInto } from './hooks.ts';

hookInto(framework);
