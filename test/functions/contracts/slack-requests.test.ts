import { expect } from '@jest/globals';
import { parseHomeMetadata, parseSubcommand } from '../../../functions/contracts/slack-requests.ts';

describe('the text of a command', () => {
  it.each([
    ['', { name: 'help', unknown: null }],
    ['  help ', { name: 'help', unknown: null }],
    ['status', { name: 'status' }],
    ['OPEN', { name: 'open' }],
    ['exemptions', { name: 'exemptions', expiringOnly: false }],
    ['exemptions  expiring', { name: 'exemptions', expiringOnly: true }],
    ['show alias/payments', { name: 'show', key: 'alias/payments' }],
    ['audit arn:aws:kms:x', { name: 'audit', key: 'arn:aws:kms:x' }],
    ['exemptions soon', { name: 'help', unknown: 'exemptions soon' }],
    ['show', { name: 'help', unknown: 'show' }],
    ['show two words', { name: 'help', unknown: 'show two words' }],
    ['status now', { name: 'help', unknown: 'status now' }],
  ])('"%s" asks for %o', (text, subcommand) => {
    expect(parseSubcommand(text)).toEqual(subcommand);
  });
});

describe('the metadata of a Home tab', () => {
  it('comes back as it was written', () => {
    const metadata = { search: 'ledger', after: null };
    expect(parseHomeMetadata(JSON.stringify(metadata))).toEqual(metadata);
  });

  it.each([undefined, '', 'no JSON', '{}', '{"search":5,"after":null}'])('is the beginning for %o', (text) => {
    expect(parseHomeMetadata(text)).toEqual({ search: null, after: null });
  });
});
