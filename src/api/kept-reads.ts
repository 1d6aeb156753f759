/**
 * What the API tells of the bot and its shop: which answers there are, for how long each is kept, and what makes it go.
 * An answer depends on the shop's own keys, so the mutations that invalidate a read invalidate what was made from it.
 */
import type { Cache } from '../cache/cache.ts';
import type { Product } from '../db/model.ts';
import type { Shop } from '../db/shop.ts';
import { shopKeys } from '../db/shop-keys.ts';
import { type CacheResponseOptions, cacheResponse, type RequestHandler } from '../http/cache-response.ts';
import { problem, type Query, quoted, readQuery } from './query.ts';

/** What the bot knows of its connection to Discord. */
export interface BotState {
  readonly online: boolean;
  readonly guilds: number;
}

/** What a query is answered with. */
interface Read {
  /** The keys of the shop that the answer is made from. */
  readonly dependsOn: readonly string[];
  readonly answer: () => object | Promise<object>;
}

/** Where the configuration has a tier of this name, the status is kept by it. */
const STATUS_TIER = 'system_status';
const STATUS_TTL_MS = 5_000;
/** No invalidation reaches a CDN, so what changes with each sale is held there only for a moment. */
const SHOP_EDGE_MS = 10_000;
/** The whole shop takes half a megabyte. */
const SHOP_BODY_BYTES = 4 * 1_024 * 1_024;
const DEFAULT_PEOPLE = 10;
const MOST_PEOPLE = 100;

/** `/api/status`: for five seconds or as its tier says, and not beyond a change of the products that it counts. */
export function statusRead(cache: Cache, shop: Shop, bot: () => BotState): RequestHandler {
  const startedAt = new Date(cache.clock.epochAt(cache.clock.now())).toISOString();
  const answer = () => {
    const { enabled, total } = cache.stats(0);
    return {
      ...bot(),
      startedAt,
      products: shop.getMainCategories().reduce((sum, { products }) => sum + products, 0),
      cache: { enabled, entries: total.entries, weightBytes: total.weightBytes, hitRate: total.hitRate },
    };
  };
  const tier = cache.tiers.find((each) => each.tier === STATUS_TIER);
  const ttlMs = tier?.ttlMs ?? STATUS_TTL_MS;
  return keptRead(cache, [], () => ({ dependsOn: [shopKeys.mainCategories()], answer }), {
    keyPrefix: 'status',
    tier: tier && STATUS_TIER,
    ttlMs,
    browserMaxAgeMs: ttlMs,
    edgeMaxAgeMs: ttlMs,
  });
}

/** `/api/products?category=`: everything for sale, or a main category of it. */
export function productsRead(cache: Cache, shop: Shop): RequestHandler {
  const plan = ({ category }: Query<'category'>): Read | Response => {
    if (category === undefined) {
      return {
        dependsOn: [shopKeys.allProducts()],
        answer: () => ({ products: shop.getAllProducts().map(shown) }),
      };
    }
    const names = shop.getMainCategories().map(({ name }) => name);
    if (!names.includes(category)) {
      return problem(404, `There is no category ${quoted(category)}: there are ${names.join(', ')}.`);
    }
    return {
      dependsOn: [shopKeys.category(category)],
      answer: () => ({ category, products: shop.getProductsByCategory(category).map(shown) }),
    };
  };
  return keptRead(cache, ['category'], plan, {
    keyPrefix: 'products',
    tier: 'reference',
    edgeMaxAgeMs: SHOP_EDGE_MS,
    maxBodyBytes: SHOP_BODY_BYTES,
  });
}

/** `/api/leaderboard?limit=`: who has spent most, without their ids. */
export function leaderboardRead(cache: Cache, shop: Shop): RequestHandler {
  const plan = ({ limit = String(DEFAULT_PEOPLE) }: Query<'limit'>): Read | Response => {
    const people = /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
    if (people < 1 || people > MOST_PEOPLE) {
      return problem(400, `"limit" is ${quoted(limit)}: give a whole number from 1 to ${MOST_PEOPLE}.`);
    }
    const answer = async () => ({
      people: (await shop.getLeaderboard(people)).map(({ userId: _, ...row }) => row),
    });
    return { dependsOn: [shopKeys.leaderboard(people)], answer };
  };
  return keptRead(cache, ['limit'], plan, {
    keyPrefix: 'leaderboard',
    tier: 'query',
    edgeMaxAgeMs: SHOP_EDGE_MS,
  });
}

/** Keeps the answers to queries that make sense; the others are refused before the cache hears of them. */
function keptRead<Name extends string>(
  cache: Cache,
  parameters: readonly Name[],
  plan: (query: Query<Name>) => Read | Response,
  options: CacheResponseOptions,
): RequestHandler {
  const planOf = (request: Request) => {
    const query = readQuery(request, parameters);
    return query instanceof Response ? query : plan(query);
  };
  const kept = cacheResponse(
    cache,
    async (request) => {
      const read = planOf(request);
      return read instanceof Response ? read : Response.json(await read.answer());
    },
    {
      ...options,
      dependsOn: (request) => {
        const read = planOf(request);
        return read instanceof Response ? [] : read.dependsOn;
      },
    },
  );
  return (request) => {
    const read = planOf(request);
    return read instanceof Response ? read : kept(request);
  };
}

/** What people see of a product. */
function shown({ id, name, mainCategory, subCategory, description, priceCents, stock }: Product) {
  return { id, name, category: mainCategory, subCategory, description, priceCents, stock };
}
