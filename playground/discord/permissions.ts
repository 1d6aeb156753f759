/** Permissions as Discord computes them: what roles grant, and what a channel's overwrites take away or add. */
import { type APIOverwrite, OverwriteType, PermissionFlagsBits as Permission } from 'discord-api-types/v10';

/** What owners and administrators hold. */
export const ALL_PERMISSIONS = Object.values(Permission).reduce((all, bit) => all | bit, 0n);

/** What everybody holds in a guild of ours. */
export const EVERYONE =
  Permission.ViewChannel |
  Permission.SendMessages |
  Permission.ReadMessageHistory |
  Permission.EmbedLinks |
  Permission.AttachFiles |
  Permission.AddReactions |
  Permission.UseExternalEmojis |
  Permission.UseApplicationCommands |
  Permission.ChangeNickname |
  Permission.Connect |
  Permission.Speak;

/** Discord's order: everyone, then roles together, then the member. */
export function applyOverwrites(
  granted: bigint,
  overwrites: readonly APIOverwrite[],
  guildId: string,
  roleIds: readonly string[],
  userId: string,
): bigint {
  const steps = [
    overwrites.filter((one) => one.id === guildId),
    overwrites.filter((one) => one.type === OverwriteType.Role && roleIds.includes(one.id)),
    overwrites.filter((one) => one.type === OverwriteType.Member && one.id === userId),
  ];
  let result = granted;
  for (const step of steps) {
    for (const { deny } of step) result &= ~BigInt(deny);
    for (const { allow } of step) result |= BigInt(allow);
  }
  return result & Permission.ViewChannel ? result : 0n;
}
