/** Prices and names as people read them, whatever a name holds. */
import { describe, expect, it } from 'vitest';
import { readShopId, shopId } from '../../src/shop-commands/shop-command.ts';
import { shopCommandList } from '../../src/shop-commands/shop-commands.ts';
import { money, nameLabel, nameText, stockText } from '../../src/shop-commands/text.ts';
import { schemaIssues } from '../commands/spoken.ts';

describe('a price', () => {
  it('is written as the reader writes it', () => {
    expect(money(123_450, 'en-US')).toBe('$1,234.50');
    expect(money(123_450, 'de').replaceAll('\u00a0', ' ')).toBe('1.234,50 $');
    expect(money(0, 'en-US')).toBe('$0.00');
    expect(money(5, 'en-US')).toBe('$0.05');
  });
});

describe('a name', () => {
  it.each([
    ['**bold** _x_ ~~s~~ ||p||', '\\*\\*bold\\*\\* \\_x\\_ \\~\\~s\\~\\~ \\|\\|p\\|\\|'],
    ['<@123> <#1> </shop:1>', '\\<@123\\> \\<\\#1\\> \\</shop:1\\>'],
    ['[click](https://evil.example)', '\\[click\\]\\(https\\://evil.example\\)'],
    ['`code` \\', '\\`code\\` \\\\'],
    ['# head', '\\# head'],
    ['> quote', '\\> quote'],
  ])('%s is no markup, no mention and no link', (name, text) => {
    expect(nameText(name)).toBe(text);
  });

  it('breaks no line and hides nothing', () => {
    expect(nameText('a\nb\u202ec\u200bd')).not.toMatch(/[\n\u202e\u200b]/);
    expect(nameLabel('a\nb')).not.toContain('\n');
  });

  it('is cut where it is long, and never empty', () => {
    expect(nameText('x'.repeat(10_000)).length).toBeLessThanOrEqual(60);
    expect(nameText('')).not.toBe('');
    expect(nameLabel('')).not.toBe('');
  });
});

describe('a stock', () => {
  it('is told in words', () => {
    const count = (value: number) => String(value);
    expect([null, 0, 7].map((stock) => stockText(stock, count))).toEqual(['in stock', 'sold out', '7 left']);
  });
});

describe('a button of the shop', () => {
  it('says whose it is and what it does, and is read back', () => {
    const id = shopId('shop', '80351110224678912', 'page', 3, 12);
    expect(id.length).toBeLessThanOrEqual(100);
    expect(readShopId(id)).toEqual({
      command: 'shop',
      userId: '80351110224678912',
      parts: ['page', '3', '12'],
    });
  });

  it('of others is not read', () => {
    for (const id of ['cacheadmin:1:x', 'shop:0:buy', 'shop', '']) expect(readShopId(id)).toBeUndefined();
  });
});

describe('the commands of the shop', () => {
  it.each(shopCommandList().map(({ name, data }) => [name, data] as const))(
    '/%s is defined as Discord wants it, for everybody',
    (name, data) => {
      expect(data.name).toBe(name);
      expect(schemaIssues('ApplicationCommandCreateRequest', data)).toEqual([]);
      expect(data.default_member_permissions).toBeUndefined();
      expect(data).not.toHaveProperty('contexts');
    },
  );
});
