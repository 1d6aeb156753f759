/**
 * Numbers, sizes, durations and instants as the reader writes them: by the locale of the interaction, through Intl.
 * Every function takes any number, NaN and Infinity too, and always gives something a person can read.
 */

export interface Format {
  /** `1,234`; from ten million on `12.3M`. */
  count(value: number): string;
  /** `85.3%`. `null`: `—`. */
  percent(ratio: number | null): string;
  /** `2.1`: percentage points between two ratios, without a sign. */
  points(difference: number): string;
  /** `0.9 kB`, `45.2 MB`. */
  bytes(value: number): string;
  /** `0.4 ms`, `104 ms`, `1.8 s`, `12 min`, `11 h`, `3 d`. */
  duration(ms: number): string;
  /** `86,400`: a number of the configuration, in full. */
  exact(value: number): string;
}

/** What stands where there is nothing to show. */
export const NOTHING = '—';

const formats = new Map<string, Format>();

/** The format of a locale; unknown ones read en-US. Made once a locale. */
export function formatFor(locale: string): Format {
  const known = formats.get(locale);
  if (known !== undefined) return known;
  // Only locales that Intl knows are kept, so that odd input cannot fill the map.
  if (!isKnownLocale(locale)) return locale === 'en-US' ? createFormat('en-US') : formatFor('en-US');
  const created = createFormat(locale);
  formats.set(locale, created);
  return created;
}

function isKnownLocale(locale: string): boolean {
  // `supportedLocalesOf` throws a RangeError for text that is no locale at all.
  return (
    /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/.test(locale) &&
    Intl.NumberFormat.supportedLocalesOf(locale).length > 0
  );
}

const KILOBYTE = 1_024;
const COMPACT_FROM = 10_000_000;

function createFormat(locale: string): Format {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  const sizes = (['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const).map(
    (unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 1 }),
  );
  /** One decimal below ten (or where it says something), none above a hundred. */
  const short = (value: number) =>
    (value < 100 ? tenths : value < COMPACT_FROM ? whole : compact).format(value);

  const count = (value: number) => {
    if (!Number.isFinite(value)) return NOTHING;
    return (Math.abs(value) < COMPACT_FROM ? whole : compact).format(value);
  };
  return {
    count,
    percent: (ratio) => (ratio === null || !Number.isFinite(ratio) ? NOTHING : percent.format(ratio)),
    points: (difference) =>
      Number.isFinite(difference) ? tenths.format(Math.abs(difference) * 100) : NOTHING,
    bytes(value) {
      if (!Number.isFinite(value) || value < 0) return NOTHING;
      if (value === 0) return `0 B`;
      let size = value / KILOBYTE;
      let unit = 0;
      while (size >= KILOBYTE && unit < sizes.length - 1) {
        size /= KILOBYTE;
        unit++;
      }
      const formatter = sizes[unit];
      if (formatter === undefined) return NOTHING;
      if (size >= COMPACT_FROM) return `${compact.format(size)} TB`;
      return formatter.format(size < 0.1 ? 0.1 : size >= 100 ? Math.round(size) : size);
    },
    duration(ms) {
      if (ms === Number.POSITIVE_INFINITY) return 'ever';
      if (!Number.isFinite(ms) || ms < 0) return NOTHING;
      if (ms > 0 && ms < 0.1) return `< ${tenths.format(0.1)} ms`;
      if (ms < 1_000) return `${short(ms)} ms`;
      if (ms < 60_000) return `${short(ms / 1_000)} s`;
      if (ms < 3_600_000) return `${short(ms / 60_000)} min`;
      if (ms < 48 * 3_600_000) return `${short(ms / 3_600_000)} h`;
      return `${short(ms / 86_400_000)} d`;
    },
    exact: (value) => (Number.isFinite(value) ? exact.format(value) : NOTHING),
  };
}

/** Discord's clients refuse instants beyond these; they are shown as `never`. */
const LATEST_SECOND = 8_640_000_000_000;

/** An instant (epoch ms) that Discord shows in the reader's words and time zone: "in 5 minutes". Never put in code. */
export function instant(at: number, style: 'R' | 'F' | 't' = 'R'): string {
  const seconds = Math.round(at / 1_000);
  if (!Number.isFinite(seconds) || Math.abs(seconds) > LATEST_SECOND) return 'never';
  return `<t:${seconds}:${style}>`;
}

/** `▰▰▰▰▱▱▱▱▱▱`; something always shows for more than nothing. */
export function bar(ratio: number, cells = 10): string {
  const share = Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 0;
  const full = share === 0 ? 0 : Math.max(1, Math.round(share * cells));
  return '▰'.repeat(full) + '▱'.repeat(cells - full);
}

/** `1 entry`, `42 entries`, `1 hit`. */
export function plural(format: Format, count: number, one: string, many: string = `${one}s`): string {
  return `${format.count(count)} ${count === 1 ? one : many}`;
}

/** `42 entries`. */
export function entriesText(format: Format, count: number): string {
  return plural(format, count, 'entry', 'entries');
}

/** The same with a capital at the start of the line. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
