/** Which process something in a shared file or folder belongs to, and whether that has ended. */
import { isError } from '../../error-text.ts';

/** When this process began, in epoch milliseconds: with its number it names it. */
export function processStart(): number {
  return Math.floor(performance.timeOrigin);
}

export function hasEnded(pid: number, startedAt: number): boolean {
  // In a container every process has the same number.
  if (pid === process.pid) return startedAt !== processStart();
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Otherwise it is there and belongs to somebody else.
    return !(isError(error) && 'code' in error && error.code === 'EPERM');
  }
}
