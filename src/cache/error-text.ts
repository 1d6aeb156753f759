/** What an error says, in a line for people. Whoever rejects may reject with anything, also with what has no text. */
export function errorText(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message || error.name) : String(error);
  } catch {
    return 'an error that cannot be shown as text';
  }
}
