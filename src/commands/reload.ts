/** Which warmer brings a key back: the one of its person, or of its tier. */
import type { WarmRequest } from '../warmers/types.ts';
import type { CommandServices } from './command.ts';

export interface Reload {
  /** For the button: `Reload this user now`. */
  readonly label: string;
  readonly request: Pick<WarmRequest, 'scope' | 'userId'>;
}

/** `undefined` when no warmer covers the key. */
export function reloadOf(
  entry: { readonly key: string; readonly tier: string },
  services: Pick<CommandServices, 'warmers' | 'cache'>,
): Reload | undefined {
  const { scopes } = services.warmers;
  const [namespace = '', id = ''] = entry.key.split('::', 2);
  if (namespace.startsWith('user') && /^\d{15,20}$/.test(id) && scopes.includes('user')) {
    return { label: 'this user', request: { scope: 'user', userId: id } };
  }
  if (entry.tier === 'user' || !scopes.includes(entry.tier)) return undefined;
  const label = services.cache.tiers.find((policy) => policy.tier === entry.tier)?.label ?? entry.tier;
  return { label: label.toLowerCase(), request: { scope: entry.tier } };
}
