/**
 * An interaction of ours, taken before other listeners see it: they get the same object, but only Cachecord can answer
 * through it. Nothing of discord.js is changed but this one object. So the order of listeners alone decides who answers,
 * and not who waits longer before the first request.
 */
import type { Interaction } from 'discord.js';

/** Every method by which an interaction is answered, or an answer to it is changed. */
const ANSWERING: readonly string[] = [
  ...['reply', 'deferReply', 'editReply', 'deleteReply', 'followUp', 'respond', 'update', 'deferUpdate'],
  ...['showModal', 'launchActivity', 'sendPremiumRequired'],
];
/** What discord.js notes on an interaction when it has been answered. */
const STATE: readonly string[] = ['deferred', 'replied', 'responded', 'ephemeral'];

/**
 * @param heldBack is told which method somebody else has called; such a call does nothing
 * @returns the interaction to answer with. The given one shows how far that is
 */
export function claim<I extends Interaction>(interaction: I, heldBack: (method: string) => void): I {
  const own: I = Object.create(interaction);
  for (const name of ANSWERING) {
    const original: unknown = Reflect.get(interaction, name);
    if (typeof original !== 'function') continue;
    Object.defineProperty(own, name, { value: original, configurable: true, writable: true });
    const held = () => {
      heldBack(name);
      return Promise.resolve(undefined);
    };
    Object.defineProperty(interaction, name, { value: held, configurable: true, writable: true });
  }
  for (const name of STATE) {
    if (!(name in interaction)) continue;
    const value: unknown = Reflect.get(interaction, name);
    Object.defineProperty(own, name, { value, configurable: true, enumerable: true, writable: true });
    // An answer that was on its way before notes its end here, and not on ours.
    let theirs: unknown;
    Object.defineProperty(interaction, name, {
      get: () => theirs ?? Reflect.get(own, name),
      set: (noted: unknown) => {
        theirs = noted;
      },
      configurable: true,
      enumerable: true,
    });
  }
  return own;
}
