import { describeFindings, describeFindingsTable } from './findings-table.contract.ts';
import { openInMemoryFindings, openSandboxStore, type Store } from './store.ts';

describe('the findings table on the sandbox’s DynamoDB', () => {
  let store: Store;
  afterAll(() => store.close());
  describeFindings(async () => {
    store = await openSandboxStore();
    return store.table;
  });
  describeFindingsTable(openSandboxStore);
});

describe('the fake of the use cases’ tests', () => {
  describeFindings(openInMemoryFindings);
});
