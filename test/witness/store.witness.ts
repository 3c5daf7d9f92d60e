import { describeFindings, describeFindingsTable } from '../functions/adapters/findings-table.contract.ts';
import { describeMessageClaims } from '../functions/adapters/message-claims.contract.ts';
import { openStore, type Store } from '../functions/adapters/store.ts';
import { startMoto } from './moto.ts';

async function openMotoStore(): Promise<Store> {
  const moto = await startMoto();
  return openStore(moto.url, () => moto.stop());
}

describe('the findings table on moto’s DynamoDB', () => {
  let store: Store;
  afterAll(() => store.close());
  describeFindings(async () => {
    store = await openMotoStore();
    return store.table;
  });
  describeFindingsTable(openMotoStore);
});

describe('the claims on messages on moto’s DynamoDB', () => {
  describeMessageClaims(openMotoStore);
});
