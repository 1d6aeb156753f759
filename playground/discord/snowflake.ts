/**
 * Ids as Discord makes them: milliseconds since 2015 in the upper bits, so that they sort by time and discord.js
 * reads the right instant out of them.
 */
import { randomBytes } from 'node:crypto';

const DISCORD_EPOCH_MS = 1_420_070_400_000n;

/** Makes ids that never repeat and never go back. */
export type SnowflakeMaker = () => string;

/** @param epochMs the wall clock, in epoch milliseconds */
export function snowflakes(epochMs: () => number): SnowflakeMaker {
  let last = 0n;
  return () => {
    const at = (BigInt(Math.floor(epochMs())) - DISCORD_EPOCH_MS) << 22n;
    last = at > last ? at : last + 1n;
    return last.toString();
  };
}

/** The id that something made at this instant would have; `nth` keeps apart what was made together. */
export function snowflakeAt(epochMs: number, nth = 0): string {
  return (((BigInt(epochMs) - DISCORD_EPOCH_MS) << 22n) + BigInt(nth)).toString();
}

/** A token that nobody guesses: for interactions, gateway sessions and the bot. */
export function secret(bytes = 48): string {
  return randomBytes(bytes).toString('base64url');
}
