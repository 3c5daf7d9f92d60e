import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { HUB_ACCOUNT, ORGANIZATION_ID } from '../world.ts';

export type OrganizationAccount = { id: string; name: string; state?: 'ACTIVE' | 'SUSPENDED' };

export type OrganizationsOptions = {
  accounts: readonly OrganizationAccount[];
  /** AWS's is 20. */
  pageSize?: number;
};

const listAccountsInput = z.object({ NextToken: z.string().optional() });

/**
 * A simulated AWS Organizations that knows ListAccounts alone, at an address of its own (AWS_ENDPOINT_URL_ORGANIZATIONS).
 */
export async function startOrganizations(
  options: OrganizationsOptions,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const isKnown = request.headers['x-amz-target'] === 'AWSOrganizationsV20161128.ListAccounts';
      const answer = isKnown
        ? listAccounts(listAccountsInput.parse(JSON.parse(body)), options)
        : { __type: 'UnsupportedAPIEndpointException', Message: 'Only ListAccounts is simulated.' };
      response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function listAccounts(
  { NextToken: token = '0' }: z.infer<typeof listAccountsInput>,
  { accounts, pageSize = 20 }: OrganizationsOptions,
): object {
  const from = Number(token);
  const page = accounts.slice(from, from + pageSize).map(({ id, name, state = 'ACTIVE' }) => ({
    Id: id,
    Arn: `arn:aws:organizations::${HUB_ACCOUNT.id}:account/${ORGANIZATION_ID}/${id}`,
    Email: `${name}@sandbox.example`,
    Name: name,
    State: state,
    JoinedMethod: 'CREATED',
  }));
  return { Accounts: page, ...(accounts.length > from + pageSize ? { NextToken: String(from + pageSize) } : {}) };
}
