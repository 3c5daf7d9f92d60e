import { randomUUID } from 'node:crypto';
import { digest } from '../../functions/adapters/digest.ts';
import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import { BUTTON } from '../../functions/contracts/slack-actions.ts';
import { EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import { toHttpApiEvent } from '../../sandbox/lambda/http-api.ts';
import { signature } from '../../sandbox/slack/signed-post.ts';
import { WORKSPACE } from '../../sandbox/world.ts';
import { aKey, anOpening } from '../builders.ts';
import type { SimulatedServices } from '../support/simulated-services.ts';

const APPROVER = 'U0APPROVER';

/** Stores a new open finding; answers its key's ARN. */
export async function openFinding({ table }: SimulatedServices): Promise<string> {
  const keyId = randomUUID();
  const arn = `arn:aws:kms:eu-central-1:444455556666:key/${keyId}`;
  const key = { arn, partition: 'aws', region: 'eu-central-1', accountId: '444455556666', keyId };
  const opening = anOpening({ key, facts: aKey(key), at: new Date().toISOString(), route: 'payments' });
  const sealing = { cause: { kind: 'clock' as const, id: keyId }, policyVersion: 'bench', newId: randomUUID };
  const { records, head } = seal(EMPTY_CHAIN, [opening], sealing, digest);
  const dueAt = new Date(Date.now() + 3_600_000).toISOString();
  await createFindingsTable(table).append({ before: EMPTY_CHAIN, after: head, records, dueAt, onceId: null });
  return arn;
}

/** The event of API Gateway for a click of an approver on Approve, signed now. */
export function approvalOf(keyArn: string, signingSecret: string): unknown {
  const payload = {
    type: 'block_actions',
    user: { id: APPROVER, username: 'approver', name: 'approver', team_id: WORKSPACE.teamId },
    api_app_id: WORKSPACE.appId,
    trigger_id: randomUUID(),
    team: { id: WORKSPACE.teamId, domain: 'bench' },
    enterprise: null,
    is_enterprise_install: false,
    container: { type: 'message', message_ts: '1.1', channel_id: 'C0PAYMENTS', is_ephemeral: false },
    channel: { id: 'C0PAYMENTS', name: 'payments-keys' },
    state: { values: {} },
    response_url: 'http://127.0.0.1:9/nobody-is-told-anything',
    actions: [
      {
        ...{ type: 'button', action_id: BUTTON.approve, block_id: 'decide', action_ts: '1.2' },
        value: JSON.stringify({ key: keyArn, episode: 1 }),
      },
    ],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = Math.floor(Date.now() / 1000);
  return toHttpApiEvent({
    ...{ method: 'POST', path: '/slack/events', rawQuery: '', rawBody: Buffer.from(body), sourceIp: '127.0.0.1' },
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': signature(signingSecret, timestamp, body),
    },
  });
}
