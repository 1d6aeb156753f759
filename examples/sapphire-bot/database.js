/** Stands for the bot's database, which takes its time. */
const rules = new Map([
  ['1', 'Be kind.'],
  ['2', 'No spam.'],
]);

export async function fetchRule(number) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return rules.get(number) ?? null;
}
