import { cached } from 'cachecord';

/** What the model takes, in dollars: its maker's price list. */
const INPUT_TOKEN = 3 / 1_000_000;
const OUTPUT_TOKEN = 15 / 1_000_000;

/** A POST, which HTTP lets nobody cache: a function of its parameters. Each answer costs money, so it is kept for a day. */
export function modelFrom(url, apiKey, cache) {
  const complete = async (parameters, { signal }) => {
    const response = await fetch(`${url}/v1/complete`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
      signal,
    });
    if (!response.ok) throw new Error(`The model answered ${response.status}.`);
    return response.json();
  };
  return cached(cache, complete, {
    keyPrefix: 'query::model',
    passContext: true,
    ttlMs: 86_400_000,
    hardTimeoutMs: 60_000,
    // What was cut short is not worth keeping.
    when: ({ stop_reason }) => stop_reason === 'end_turn',
    cost: ({ usage }) => usage.input_tokens * INPUT_TOKEN + usage.output_tokens * OUTPUT_TOKEN,
  });
}
