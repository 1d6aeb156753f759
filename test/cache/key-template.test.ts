import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileKeyTemplate,
  compileTargetTemplate,
  type Parameters,
} from '../../src/cache/keys/key-template.ts';

const key = (template: string, length = 2, parameters?: Parameters) =>
  compileKeyTemplate(template, { functionName: 'getUser()', length, parameters });

describe('a key template', () => {
  it('puts arguments in by position, in any order and more than once', () => {
    expect(key('user::{0}::profile')(['123456'])).toBe('user::123456::profile');
    expect(key('query::{1}::{0}::{1}')(['a', 'b'])).toBe('query::b::a::b');
    expect(key('config::vip_tiers', 0)([])).toBe('config::vip_tiers');
  });

  it('goes into fields, and further', () => {
    expect(key('user::{0.id}::{0.guild.id}')([{ id: '1', guild: { id: '2' } }])).toBe('user::1::2');
    expect(key('user::{0.id}::x')([undefined])).toBe('user::%undefined::x');
  });

  it('takes names where the parameters are named', () => {
    const render = key('user::{user_id}::{amount.unit}::{0}', 2, ['user_id', 'amount']);
    expect(render(['7', { unit: 'cents' }])).toBe('user::7::cents::7');
  });

  it('takes positions beyond the length of the function where the number of parameters is given', () => {
    expect(key('query::{2}', 0, 3)(['a', 'b', 'c'])).toBe('query::c');
  });

  it('gives different text for different arguments', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('', ':', '::', '*', '%', '%25', '__proto__', 'a::b'));
    const part = fc.oneof(
      text,
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(null, undefined),
      fc.array(text),
      fc.dictionary(text, text),
    );
    const render = key('user::{0}::{1}');
    fc.assert(
      fc.property(fc.tuple(part, part), fc.tuple(part, part), (a, b) => {
        const same =
          JSON.stringify(a, (_, v) => v ?? String(v)) === JSON.stringify(b, (_, v) => v ?? String(v));
        fc.pre(!same);
        expect(render(a)).not.toBe(render(b));
      }),
    );
  });

  it.each<[string, string, Parameters | undefined, RegExp]>([
    [
      'a position beyond the parameters',
      'user::{2}',
      undefined,
      /"\{2\}" names parameter 3, but getUser\(\) has 2.*parameters: 3/,
    ],
    ['a position beyond the parameters that were named', 'user::{2}', ['a', 'b'], /names parameter 3/],
    ['a name', 'user::{user_id}', undefined, /does not keep the names of parameters: use positions/],
    [
      'a name that is none of those given',
      'user::{id}',
      ['user_id', 'amount'],
      /none of its parameters \(user_id, amount\)/,
    ],
    ['an empty placeholder', 'user::{}', undefined, /no placeholder/],
    ['an empty field', 'user::{0.}', undefined, /no placeholder/],
    ['a brace that is not closed', 'user::{0', undefined, /brace is not closed/],
    ['a brace that was not opened', 'user::0}', undefined, /brace is not closed/],
    ['braces in braces', 'user::{{0}}', undefined, /brace is not closed/],
    ['two placeholders without a separator', 'user::{0}-{1}', undefined, /put "::" between/],
    ['a star', 'user::{0}::*', undefined, /no "\*"/],
    ['nothing', '', undefined, /cannot be empty/],
  ])('fails at once for %s', (_name, template, parameters, message) => {
    expect(() => key(template, 2, parameters)).toThrow(message);
  });

  it('may hold stars where it names what to invalidate', () => {
    const scope = { functionName: 'pay()', length: 1 };
    expect(compileTargetTemplate('user::{0}::*', scope)(['*'])).toBe('user::%2A::*');
    expect(compileTargetTemplate('products:*', scope)([])).toBe('products:*');
  });
});
