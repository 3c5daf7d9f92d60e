import { createKmsClients } from '../../../functions/adapters/kms-clients.ts';
import { type KeyIdentity, parseKeyArn } from '../../../functions/domain/key.ts';

function keyIn(accountId: string): KeyIdentity {
  const key = parseKeyArn(`arn:aws:kms:eu-central-1:${accountId}:key/11111111-2222-3333-4444-555555555555`);
  if (key === null) throw new Error(`${accountId} is no account id`);
  return key;
}

it('keeps the clients of the places that were used last', () => {
  const access = {
    roleName: 'read',
    externalId: 'external-id',
    sessionName: 'detect-finding',
    stsRegion: 'eu-central-1',
  };
  const { clientFor } = createKmsClients(access, 2);
  const first = keyIn('111111111111');
  const second = keyIn('222222222222');
  const ofFirst = clientFor(first);
  const ofSecond = clientFor(second);
  expect(clientFor(first)).toBe(ofFirst);
  clientFor(keyIn('333333333333'));
  expect(clientFor(first)).toBe(ofFirst);
  expect(clientFor(second)).not.toBe(ofSecond);
});
