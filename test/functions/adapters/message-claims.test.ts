import { describeMessageClaims } from './message-claims.contract.ts';
import { openSandboxStore } from './store.ts';
import { WAYS } from './support/dynamodb-tables.ts';

describe.each(WAYS)('the claims on messages over %s', (way) => {
  describeMessageClaims(() => openSandboxStore(way));
});
