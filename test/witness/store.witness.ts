import { describeFindings, describeFindingsTable } from '../functions/adapters/findings-table.contract.ts';
import { describeMessageClaims } from '../functions/adapters/message-claims.contract.ts';
import { openStore, type Store } from '../functions/adapters/store.ts';
import { WAYS } from '../functions/adapters/support/dynamodb-tables.ts';
import { startMoto } from './moto.ts';

describe('findings on moto’s DynamoDB', () => {
  let store: Store;
  afterAll(() => store.close());
  // Over the SDK only: moto does one transaction after the other, and fetch gives up after 0.8 seconds.
  describeFindings(async () => {
    store = await openStore(await startMoto());
    return store.table;
  });
});

describe.each(WAYS)('the table on moto’s DynamoDB over %s', (way) => {
  const open = async () => openStore(await startMoto(), way);
  describeFindingsTable(open);
  describeMessageClaims(open);
});
