import { createHmac } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { digest } from '../../functions/adapters/digest.ts';
import { SlackReceiver } from '../../functions/adapters/slack-receiver.ts';
import { BUTTON, EXEMPTION_MODAL } from '../../functions/contracts/slack-actions.ts';
import { answerCommand } from '../../functions/decide-finding/answer-command.ts';
import { approveAll, type DigestDeps, reviewDigest } from '../../functions/decide-finding/decide-digest.ts';
import { type Deps, decideFinding, decideTerms, mayStateTerms } from '../../functions/decide-finding/decide-finding.ts';
import { createPatternUseCases } from '../../functions/decide-finding/decide-pattern.ts';
import { showHome } from '../../functions/decide-finding/home.ts';
import { createSlackApp } from '../../functions/decide-finding/slack-app.ts';
import { type AuditEvent, type ChainHead, verifyChain } from '../../functions/domain/audit.ts';
import type { Status } from '../../functions/domain/finding.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../functions/domain/key.ts';
import { aKey, aPerson, aPolicy, DAY_ONE, HISTORY, KEY, later } from '../builders.ts';
import { createInMemoryFindings } from '../fakes/in-memory-findings.ts';
import { somePatternDeps } from '../fakes/in-memory-patterns.ts';

export const SECRET = 'a-signing-secret-of-a-test';
const BOT = { botToken: 'xoxb-test', botId: 'B0BOT', botUserId: 'U0BOT' };
export const NOW = new Date(later({ hours: 2 }));
const STATUSES: readonly Status[] = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'];

/** One key per status, so that every branch of a decision is within reach. */
export const KEYS: readonly KeyIdentity[] = STATUSES.map((_, index) => {
  const keyId = `${index}${KEY.keyId.slice(1)}`;
  return { ...KEY, keyId, arn: `arn:aws:kms:${KEY.region}:${KEY.accountId}:key/${keyId}` };
});

const HOSTILE_NAME = '<!channel> & <@U0EVIL> *x* `y`';
const APPROVER = aPerson({ userId: 'U0APPROVER', name: HOSTILE_NAME });
const PEOPLE = [APPROVER, aPerson({ userId: 'U0GUEST', name: HOSTILE_NAME, isGuest: true })];

function eventsFor(status: Status, key: KeyIdentity): FindingEvent[] {
  return HISTORY[status].map((event) => {
    if (event.type === 'finding-opened') return { ...event, key, facts: aKey({ ...key, description: HOSTILE_NAME }) };
    if (event.type !== 'remediation-approved') return event;
    return { ...event, approval: { ...event.approval, by: { kind: 'person', person: APPROVER } } };
  });
}

type World = ReturnType<typeof createInMemoryFindings>;
type Post = { url: string; text: string };

async function aWorld(): Promise<World> {
  const policy = aPolicy();
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: ['S0APPROVERS'] };
  const world = createInMemoryFindings(policy);
  for (const [index, status] of STATUSES.entries()) {
    const key = KEYS[index];
    if (key !== undefined) await world.given(eventsFor(status, key));
  }
  return world;
}

/**
 * The receiver, the Bolt app, the use case and carry-out as deployed, on findings in memory, with everything that
 * leaves the process written down instead. `globalThis.fetch` is taken over, because Bolt answers through it.
 */
export async function createBot() {
  let world = await aWorld();
  let touched = false;
  const posts: Post[] = [];
  const views: unknown[] = [];
  const failures: unknown[] = [];
  const trail = () => KEYS.map(({ arn }) => world.auditOf(arn).length).join();

  const deps: Deps = {
    loadPolicy: () => world.loadPolicy(),
    person: (userId) => Promise.resolve(PEOPLE.find((person) => person.userId === userId) ?? null),
    groupsOf: () => Promise.resolve({ known: false }),
    loadFinding: (keyArn) => world.loadFinding(keyArn),
    carryOut: (request) => {
      touched = true;
      return world.carryOut(request);
    },
    now: () => NOW,
  };
  const lookUps = () => ({
    ...deps,
    loadPolicy: () => world.loadPolicy(),
    loadChain: (keyArn: string) => world.load(keyArn),
    auditOf: (keyArn: string) => Promise.resolve(world.auditOf(keyArn)),
    findingsPage: world.findingsPage,
    newestOfDay: world.newestOfDay,
    currentPatterns: () => Promise.resolve([]),
    coverage: () => Promise.resolve({ keys: [], isAll: true }),
    publishHome: (_: string, view: unknown) => Promise.resolve(void views.push(view)),
    verify: (records: readonly AuditEvent[], head: ChainHead) => verifyChain(records, digest, head),
  });
  const digestDeps: DigestDeps = { ...deps, loadPolicy: () => world.loadPolicy(), digests: NO_DIGESTS };
  globalThis.fetch = (url, init) => {
    const address = url instanceof Request ? url.url : url.toString();
    posts.push({ url: address, text: typeof init?.body === 'string' ? init.body : '' });
    return Promise.resolve(new Response('ok'));
  };
  const logFailure = (error: unknown) => failures.push(error);
  const receiver = new SlackReceiver({ signingSecret: () => Promise.resolve(SECRET), now: () => NOW, logFailure });
  createSlackApp(
    { receiver, bot: () => Promise.resolve(BOT), apiUrl: undefined },
    {
      decide: (action, request) => decideFinding(action, request, deps),
      mayStateTerms: (action, request) => mayStateTerms(action, request, deps),
      decideTerms: (action, request, terms) => decideTerms(action, request, terms, deps),
      approveAll: (ref, request) => approveAll(ref, request, digestDeps),
      reviewDigest: (page, size, request) => reviewDigest(page, size, request, digestDeps),
      patterns: createPatternUseCases(somePatternDeps({ person: deps.person, now: () => NOW })),
      openView: (_, view) => Promise.resolve(views.push(view)),
      showHome: (who, metadata, news) => showHome(who, metadata, news, lookUps()),
      answerCommand: (who, text) => answerCommand(who, text, lookUps()),
      pushView: (_, view) => Promise.resolve(views.push(view)),
      updateView: (_, view) => Promise.resolve(views.push(view)),
      now: () => NOW,
      logFailure,
    },
  );

  return {
    posts,
    views,
    failures,
    /** How many audit events each key has. */
    trail,
    handle: (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => receiver.handle(event),
    /** The next input meets the same world as the last one did. */
    async reset(): Promise<void> {
      if (touched) world = await aWorld();
      touched = false;
      for (const list of [posts, views, failures]) list.length = 0;
    },
  };
}

/** A table without any digest: what is asked of one gets the answer for one that is forgotten. */
const NO_DIGESTS: DigestDeps['digests'] = {
  load: () => Promise.resolve(null),
  page: () => Promise.resolve([]),
  batches: () => Promise.resolve([]),
  putBatch: () => Promise.resolve(false),
};

/** The event with the signature that Slack would give it, over whatever bytes the function is going to see. */
export function sign(event: APIGatewayProxyEventV2, timestamp: string): APIGatewayProxyEventV2 {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const signature = `v0=${createHmac('sha256', SECRET).update(`v0:${timestamp}:`).update(bytes).digest('hex')}`;
  const headers = { ...event.headers, 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
  return { ...event, headers };
}

export const TIMESTAMP = String(NOW.getTime() / 1000);

const person = { id: APPROVER.userId, team_id: 'T0123456789', username: 'approver' };
const team = { id: 'T0123456789', domain: 'corp' };

/** A click on a button of the message about a key. */
export function click(action_id: string, key: KeyIdentity | undefined = KEYS[0], value?: string) {
  const ref = value ?? JSON.stringify({ key: key?.arn, episode: 1 });
  return {
    type: 'block_actions',
    user: person,
    team,
    enterprise: null,
    api_app_id: 'A0APP',
    token: 'legacy',
    trigger_id: '1.2.3',
    container: { type: 'message', message_ts: '1.1', channel_id: 'C0123456789' },
    channel: { id: 'C0123456789', name: 'keys' },
    response_url: 'https://hooks.slack.com/actions/T0123456789/1/2',
    actions: [{ type: 'button', action_id, block_id: 'decide', value: ref, action_ts: DAY_ONE }],
  };
}

/** The modal as it is sent off. */
export function submission(purpose: string, key: KeyIdentity | undefined = KEYS[0], metadata?: string) {
  return {
    type: 'view_submission',
    user: person,
    team,
    trigger_id: '1.2.3',
    view: {
      id: 'V0VIEW',
      type: 'modal',
      callback_id: EXEMPTION_MODAL,
      private_metadata: metadata ?? JSON.stringify({ finding: { key: key?.arn, episode: 1 }, purpose }),
      state: {
        values: {
          owner: { owner: { type: 'users_select', selected_user: APPROVER.userId } },
          reason: { reason: { type: 'plain_text_input', value: 'The vendor pins the key until spring' } },
          ticket: { ticket: { type: 'plain_text_input', value: null } },
          until: { until: { type: 'datepicker', selected_date: later({ days: 20 }).slice(0, 10) } },
        },
      },
    },
    response_urls: [],
  };
}

/** Every kind of interaction, about keys of every status. */
export const INTERACTIONS: readonly unknown[] = [
  ...Object.values(BUTTON).map((action, index) => click(action, KEYS[index % KEYS.length])),
  ...KEYS.map((key) => click(BUTTON.approve, key)),
  ...['exempt', 'renew-exemption', 'back-out'].flatMap((purpose) => KEYS.map((key) => submission(purpose, key))),
];
