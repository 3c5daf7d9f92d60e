import fc from 'fast-check';
import { escaped, plain } from '../../../functions/messages/plain.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        '\u202e',
        '\u200b',
        '\u2066',
        '\ufeff',
        '\n',
        '\r\n',
        '\t',
        '\u0000',
        'é',
        '😀',
        '\u0301',
        'a',
        ' ',
      ),
    )
    .map((parts) => parts.join('')),
);

describe('plain', () => {
  it('keeps ordinary text as it is', () => {
    expect(plain('payments/ledger (prod) äöü 鍵', 100)).toBe('payments/ledger (prod) äöü 鍵');
  });

  it('makes one line of many', () => {
    expect(plain(' a\r\n\tb\u2028c ', 100)).toBe('a b c');
  });

  it('cuts with an ellipsis and never through a character', () => {
    expect(plain('abcdef', 4)).toBe('abc…');
    expect(plain('ab😀cd', 4)).toBe('ab…');
  });

  it('never answers more than the maximum, nor anything invisible, nor a line end', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 300 }), (text, max) => {
        const shown = plain(text, max);
        expect(shown.length).toBeLessThanOrEqual(max);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
        expect(shown).toBe(shown.trim());
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(plain(plain(text, 100), 100)).toBe(plain(text, 100));
      }),
    );
  });
});

describe('escaped', () => {
  it('disarms mentions and links', () => {
    expect(escaped('<!channel> & <https://evil.example|x>')).toBe(
      '&lt;!channel&gt; &amp; &lt;https://evil.example|x&gt;',
    );
  });
});
