/** The words that the generated shop is made of: categories, and names that sound as if somebody sold them. */
import type { PaymentMethod, VipTier } from './model.ts';
import type { Random } from './random.ts';

type Words = readonly [string, ...string[]];

interface Range {
  readonly name: string;
  /** Weight of the category among all. */
  readonly share: number;
  readonly subCategories: Words;
  readonly first: Words;
  readonly second: Words;
  readonly editions: Words;
  readonly about: Words;
  readonly priceCents: readonly [min: number, max: number];
  /** Goods that can run out; the rest is made on demand. */
  readonly stocked: number;
}

const RANGES: readonly [Range, ...Range[]] = [
  {
    name: 'gaming',
    share: 6,
    subCategories: ['action', 'adventure', 'puzzle', 'racing', 'role-playing', 'simulation', 'strategy'],
    first: [
      'Star',
      'Iron',
      'Hollow',
      'Ember',
      'Frost',
      'Silent',
      'Crimson',
      'Lost',
      'Neon',
      'Wild',
      'Paper',
      'Deep',
    ],
    second: [
      'Harbour',
      'Kingdom',
      'Circuit',
      'Odyssey',
      'Valley',
      'Legion',
      'Gardens',
      'Raiders',
      'Signal',
      'Tides',
    ],
    editions: ['', '', '', 'Deluxe Edition', 'Gold Edition', 'Season Pass', 'Soundtrack Bundle', 'II', 'III'],
    about: [
      'Game key, delivered at once.',
      'For one account, all regions.',
      'Playable alone or with friends.',
    ],
    priceCents: [499, 6_999],
    stocked: 0.6,
  },
  {
    name: 'software',
    share: 4,
    subCategories: ['antivirus', 'backup', 'design', 'office', 'utilities', 'video'],
    first: ['Clear', 'Swift', 'North', 'Pixel', 'Quiet', 'Bright', 'Solid', 'Open', 'Blue', 'Prime'],
    second: ['Desk', 'Shield', 'Vault', 'Canvas', 'Sheets', 'Studio', 'Cutter', 'Clean', 'Notes', 'Drive'],
    editions: ['Home', 'Pro', 'Business', 'Family', '1 Year', '2 Years', 'Lifetime'],
    about: ['Licence key by message.', 'For up to three devices.', 'Updates included.'],
    priceCents: [999, 14_999],
    stocked: 0.2,
  },
  {
    name: 'music',
    share: 4,
    subCategories: ['classical', 'electronic', 'hip-hop', 'jazz', 'metal', 'pop'],
    first: [
      'Late',
      'Golden',
      'Paper',
      'Velvet',
      'Winter',
      'Electric',
      'Broken',
      'Distant',
      'Summer',
      'Midnight',
    ],
    second: [
      'Trains',
      'Rooms',
      'Hearts',
      'Letters',
      'Rivers',
      'Static',
      'Mirrors',
      'Bloom',
      'Echoes',
      'Parade',
    ],
    editions: ['', '', 'Live', 'Remastered', 'Acoustic Sessions', 'Vinyl', 'EP'],
    about: ['Album, lossless download.', 'Twelve tracks.', 'With booklet.'],
    priceCents: [299, 2_999],
    stocked: 0.2,
  },
  {
    name: 'streaming',
    share: 2,
    subCategories: ['anime', 'films', 'music', 'sport'],
    first: ['View', 'Wave', 'Cine', 'Play', 'Arena', 'Otaku', 'Loop', 'Prime'],
    second: ['Box', 'Plus', 'Flow', 'Pass', 'Max', 'Stream', 'Club'],
    editions: ['1 Month', '3 Months', '6 Months', '12 Months', 'Family 1 Month'],
    about: ['Subscription code.', 'No renewal.', 'For new and existing accounts.'],
    priceCents: [399, 9_999],
    stocked: 0.7,
  },
  {
    name: 'gift cards',
    share: 2,
    subCategories: ['consoles', 'food', 'mobile', 'shops'],
    first: ['Galaxy', 'Corner', 'Pocket', 'Metro', 'Arcade', 'Garden', 'Harvest', 'Orbit'],
    second: ['Store', 'Market', 'Credit', 'Kitchen', 'Wallet', 'Coins'],
    editions: ['$5', '$10', '$20', '$25', '$50', '$100'],
    about: ['Gift code by message.', 'Valid for three years.', 'Cannot be returned.'],
    priceCents: [500, 10_000],
    stocked: 0.9,
  },
  {
    name: 'discord',
    share: 1,
    subCategories: ['bots', 'emoji packs', 'server themes'],
    first: ['Cosy', 'Mod', 'Party', 'Pixel', 'Chill', 'Royal', 'Tiny', 'Retro'],
    second: ['Guard', 'Jukebox', 'Cats', 'Lounge', 'Tickets', 'Stickers', 'Frogs', 'Palette'],
    editions: ['', 'Lite', 'Plus', 'Bundle', 'Set A', 'Set B'],
    about: ['For one server.', 'Set up for you.', 'Made by the community.'],
    priceCents: [99, 2_499],
    stocked: 0.1,
  },
  {
    name: 'merchandise',
    share: 2,
    subCategories: ['clothing', 'desk', 'posters', 'stickers'],
    first: ['Midnight', 'Classic', 'Sunrise', 'Mono', 'Forest', 'Retro', 'Cloud', 'Lava'],
    second: ['Hoodie', 'Shirt', 'Mug', 'Mouse Mat', 'Poster', 'Sticker Sheet', 'Cap', 'Key Ring'],
    editions: ['', 'S', 'M', 'L', 'XL', 'Limited'],
    about: ['Ships within three days.', 'Organic cotton where it is cloth.', 'Printed to order.'],
    priceCents: [299, 5_999],
    stocked: 1,
  },
];

export interface MadeProduct {
  readonly mainCategory: string;
  readonly subCategory: string;
  readonly name: string;
  readonly description: string;
  readonly stock: number | null;
  readonly priceCents: number;
}

/** @param taken the names in use; the new one is added */
export function makeProduct(random: Random, taken: Set<string>): MadeProduct {
  const range = pickRange(random);
  const subCategory = random.pick(range.subCategories);
  const [min, max] = range.priceCents;
  // Prices end in 99, as they do; cheap things are commoner than dear ones.
  const priceCents = min + Math.floor(((max - min) * random.next() ** 2) / 100) * 100;
  return {
    mainCategory: range.name,
    subCategory,
    name: makeName(random, range, taken),
    description: `${random.pick(range.about)} ${random.pick(range.about)}`,
    stock: random.chance(range.stocked) ? random.between(0, 400) : null,
    priceCents,
  };
}

function makeName(random: Random, range: Range, taken: Set<string>): string {
  const edition = random.pick(range.editions);
  const base = `${random.pick(range.first)} ${random.pick(range.second)}${edition === '' ? '' : ` ${edition}`}`;
  let name = base;
  for (let issue = 2; taken.has(name); issue++) name = `${base} #${issue}`;
  taken.add(name);
  return name;
}

function pickRange(random: Random): Range {
  let left = random.next() * RANGES.reduce((sum, { share }) => sum + share, 0);
  for (const range of RANGES) {
    left -= range.share;
    if (left < 0) return range;
  }
  return RANGES[0];
}

const NAME_STARTS: Words = [
  'Luna',
  'Nova',
  'Milo',
  'Pixel',
  'Echo',
  'Robin',
  'Yuki',
  'Max',
  'Ада',
  'Zoë',
  'Kai',
  'Mira',
  'Otto',
  'Sam',
  '小雪',
  'Ivo',
  'Fern',
  'Juno',
  'Theo',
  'Wren',
];
const NAME_ENDS: Words = [
  '',
  '',
  '',
  'fox',
  'cat',
  'plays',
  'TV',
  'x',
  '🌸',
  'dev',
  'owl',
  '_',
  'gg',
  'moon',
  'zzz',
];

export function makePersonName(random: Random): string {
  const digits = random.chance(0.5) ? String(random.between(1, 2_999)) : '';
  return `${random.pick(NAME_STARTS)}${random.pick(NAME_ENDS)}${digits}`;
}

export const VIP_TIERS: readonly VipTier[] = [
  { tier: 1, name: 'Bronze', fromSpentCents: 100_00, perks: ['2 % off everything'] },
  { tier: 2, name: 'Silver', fromSpentCents: 500_00, perks: ['4 % off everything', 'Early access'] },
  {
    tier: 3,
    name: 'Gold',
    fromSpentCents: 1_500_00,
    perks: ['7 % off everything', 'Early access', 'Gold role'],
  },
  { tier: 4, name: 'Platinum', fromSpentCents: 5_000_00, perks: ['10 % off everything', 'Own channel'] },
];

/** By tier, from the first. */
export const VIP_PERCENTS = [2, 4, 7, 10] as const;

export const PAYMENT_METHODS: readonly PaymentMethod[] = [
  { id: 'card', name: 'Credit or debit card', feePercent: 2, enabled: true },
  { id: 'transfer', name: 'Bank transfer', feePercent: 0, enabled: true },
  { id: 'paypal', name: 'PayPal', feePercent: 3, enabled: true },
  { id: 'crypto', name: 'Bitcoin or Litecoin', feePercent: 1, enabled: false },
];

export const OCCASIONS: Words = ['Summer sale', 'Weekend deal', 'Birthday week', 'Clearance', 'New season'];
