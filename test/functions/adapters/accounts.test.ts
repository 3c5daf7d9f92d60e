import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { expect } from '@jest/globals';
import { listWatchedAccounts } from '../../../functions/adapters/accounts.ts';
import type { OrganizationAccount } from '../../../sandbox/aws/organizations.ts';
import { startServices } from '../../support/simulated-services.ts';

const HUB = '111122223333';
const MANAGEMENT = '999988887777';
const [ROOT, OUTER, INNER, OTHER] = ['r-sand', 'ou-sand-outer001', 'ou-sand-inner001', 'ou-sand-other001'];

const account = (id: string, parent: string, state: 'ACTIVE' | 'SUSPENDED' = 'ACTIVE'): OrganizationAccount => ({
  ...{ id, name: `account-${id}`, parent, state },
});

let close: () => Promise<void>;
let client: OrganizationsClient;
beforeAll(async () => {
  const services = await startServices({
    organization: {
      accounts: [
        ...[
          account(MANAGEMENT, ROOT),
          account(HUB, OTHER),
          account('000000000001', OUTER),
          account('000000000002', INNER),
        ],
        ...[
          account('000000000003', INNER, 'SUSPENDED'),
          account('000000000004', OTHER),
          account('000000000005', INNER),
        ],
      ],
      units: { [ROOT]: [OUTER, OTHER], [OUTER]: [INNER] },
      managementAccountId: MANAGEMENT,
      pageSize: 1,
    },
  });
  close = services.close;
  client = new OrganizationsClient({
    ...{ region: 'us-east-1', endpoint: services.environment['AWS_ENDPOINT_URL'] ?? '' },
    credentials: { accessKeyId: HUB, secretAccessKey: 'simulated' },
  });
});
afterAll(async () => {
  client.destroy();
  await close();
});

const watched = (units: string[], hubAccount = HUB) => listWatchedAccounts(client, { units, hubAccount });

it('finds the accounts in use below a unit, and those of the units in it', async () => {
  await expect(watched([OUTER])).resolves.toEqual(['000000000001', '000000000002', '000000000005', HUB]);
});

it('leaves the accounts of other units to themselves, but never the hub', async () => {
  await expect(watched([INNER])).resolves.toEqual(['000000000002', '000000000005', HUB]);
});

it('does not expect the StackSet in the management account', async () => {
  const all = ['000000000001', '000000000002', '000000000004', '000000000005', HUB];
  await expect(watched([ROOT])).resolves.toEqual(all);
  await expect(watched([ROOT], MANAGEMENT)).resolves.toEqual([...all, MANAGEMENT]);
});

it('names each account once, also where units are given within each other', async () => {
  await expect(watched([INNER, OUTER, INNER])).resolves.toEqual(['000000000001', '000000000002', '000000000005', HUB]);
});

it('says when there is no such unit', async () => {
  await expect(watched(['ou-sand-gone0001'])).rejects.toMatchObject({ name: 'ParentNotFoundException' });
});
