/**
 * A tier as config.json states it, under `cache.tiers`: seconds, kilobytes, snake_case. It is written out, and checked
 * against `tierSchema`, which says what each field means: inferred, it would bring zod's types into every host.
 */
export interface TierSection {
  ttl?: number | undefined;
  negative_ttl?: number | undefined;
  jitter?: number | undefined;
  grace?: number | undefined;
  grace_backoff?: number | undefined;
  stale_while_revalidate?: number | undefined;
  soft_timeout?: number | undefined;
  hard_timeout?: number | undefined;
  refresh_ahead?: number | undefined;
  early_refresh?: number | undefined;
  adaptive_ttl?: { min: number; max: number } | undefined;
  values?: 'copy' | 'frozen' | undefined;
  compress_above_kb?: number | undefined;
  max_entry_kb?: number | undefined;
  skip_empty?: boolean | undefined;
  persist?: 'memory' | 'on_change' | 'on_shutdown' | 'periodic' | undefined;
  namespaces?: string[] | undefined;
  label?: string | undefined;
  description?: string | undefined;
}
