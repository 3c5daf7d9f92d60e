import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { digest } from '../../functions/adapters/digest.ts';
import { parseEventImage } from '../../functions/adapters/findings-table.ts';
import { parsePatternImage } from '../../functions/adapters/patterns-table.ts';
import { batchSchema, digestMemberSchema } from '../../functions/contracts/digest-records.ts';
import { patternSchema } from '../../functions/contracts/pattern-records.ts';
import { findingSchema } from '../../functions/contracts/records.ts';
import {
  EVENT_SORT_KEY_PREFIX,
  PATTERN_RECORD_SORT_KEY_PREFIX,
  PATTERN_SORT_KEY,
  SNAPSHOT_SORT_KEY,
} from '../../functions/contracts/table.ts';
import { type AuditEvent, type ChainHead, verifyChain } from '../../functions/domain/audit.ts';
import { type Batch, type DigestMember, isApprovable, isInTime, memberOf } from '../../functions/domain/digest.ts';
import { evolve, replay } from '../../functions/domain/evolve.ts';
import type { Exemption } from '../../functions/domain/exemption.ts';
import { type Finding, requestOf } from '../../functions/domain/finding.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import type { KeyIdentity } from '../../functions/domain/key.ts';
import { isMeantBy } from '../../functions/domain/key-pattern.ts';
import { type PatternHead, type PatternRecord, verifyPatternChain } from '../../functions/domain/pattern-audit.ts';
import type { PersonRef, Trigger } from '../../functions/domain/people.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { same } from '../../functions/domain/same.ts';
import { renderDigest } from '../../functions/messages/digest-message.ts';
import { renderFinding } from '../../functions/messages/finding-message.ts';
import { renderPatternMessage } from '../../functions/messages/pattern-message.ts';
import type { KeyView } from '../../sandbox/aws/kms/key-view.ts';
import { buttonsOf } from '../../sandbox/slack/block-schema.ts';
import { isReply, type Message, type Workspace } from '../../sandbox/slack/workspace.ts';
import { PEOPLE, READ_ROLE, REMEDIATE_ROLE, USER_GROUPS, WORKSPACE } from '../../sandbox/world.ts';
import type { Item } from './expressions.ts';
import type { ItemChange } from './memory-table.ts';
import type { Invocation } from './scheduler.ts';
import type { KmsCall } from './simulated-aws.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const READS_BEFORE_SUCCESS = 3;
/** A policy is believed for a minute, and the longest function runs for two. */
const POLICY_LAG_MS = 3 * 60_000;
const DISTURBING: FindingEvent['type'][] = ['reminded', 'escalated', 'exemption-reminded'];
const CHANGING = ['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand'];

const fullMembers = PEOPLE.filter(
  ({ teamId, guest, deactivated }) => teamId === WORKSPACE.teamId && guest !== true && deactivated !== true,
).map(({ id }) => id);

const notice = z.object({ kind: z.string(), event: z.object({ id: z.string() }).optional() });

/** What is true at the end of a run, seen from outside. */
export type World = {
  keys: readonly KeyView[];
  /** Keys on which the bot was shut out at some time; nothing is expected of it there. */
  lockedOut: ReadonlySet<string>;
  workspace: Workspace;
  /** Post ids of messages that people deleted. */
  deleted: ReadonlySet<string>;
  /** The whole table. */
  rows: readonly Item[];
  deadLetters: readonly string[];
  givenUp: readonly string[];
};

/**
 * What must hold whatever happens: watched while the run goes on, and looked at once more when everything is quiet. An
 * independent witness: it knows the promises, not how they are kept.
 */
export class Invariants {
  readonly violations: string[] = [];
  readonly #now: () => number;
  readonly #policy: Policy;
  readonly #findings = new Map<string, Finding>();
  readonly #events = new Map<string, AuditEvent[]>();
  readonly #heads = new Map<string, ChainHead>();
  readonly #kmsCalls = new Map<Invocation, KmsCall[]>();
  readonly #causes = new Set<string>();
  readonly #published = new Set<string>();
  /** Slack requests that changed a finding. */
  readonly #effective = new Set<string>();
  readonly #patterns = new Map<string, { head: PatternHead; records: PatternRecord[] }>();
  #policyBrokenSince: number | null = null;

  public constructor({ now, policy }: { now: () => number; policy: Policy }) {
    this.#now = now;
    this.#policy = policy;
  }

  public policyIsBroken(isBroken: boolean): void {
    this.#policyBrokenSince = isBroken ? this.#now() : null;
  }

  public onPublish(message: string): void {
    const { event } = notice.parse(JSON.parse(message));
    if (event !== undefined) this.#published.add(event.id);
  }

  public onAnswerFailed(error: unknown): void {
    this.#violate(`a click was answered with an error: ${String(error)}`);
  }

  /** What a person read in answer to a request. */
  public onTold(requestId: string, words: string): void {
    if (/nothing was changed/i.test(words) && this.#effective.has(requestId)) {
      this.#violate('a person was told that nothing was changed, but it was');
    }
  }

  /** A finding's events and state were written together. */
  public onWrite(changes: readonly ItemChange[], invocation: Invocation | undefined): void {
    const records = changes.filter(isEvent).map(({ after }) => parseEventImage(after));
    const snapshot = changes.find(({ keys }) => keys['sk']?.['S'] === SNAPSHOT_SORT_KEY);
    this.#onPatternWrite(changes);
    if (snapshot === undefined) {
      if (records.length > 0) this.#violate('events were written without the finding');
      return;
    }
    const { finding, sequence, hash } = snapshotOf(snapshot.after);
    const arn = finding.key.arn;
    const before = this.#findings.get(arn);
    const [first] = records;
    if (first === undefined) this.#violate(`the finding of ${arn} changed without an event`);
    else this.#onceOnly(first);
    let present = before;
    for (const record of records) {
      this.#checkFollows(record.event, record.key, present);
      this.#checkEvent(record, before, invocation);
      present = evolve(present, record.event);
    }
    this.#findings.set(arn, finding);
    this.#heads.set(arn, { sequence, hash, finding });
    this.#events.set(arn, [...(this.#events.get(arn) ?? []), ...records]);
  }

  /** An exemption of a pattern's events and state were written together. */
  #onPatternWrite(changes: readonly ItemChange[]): void {
    const records = changes
      .filter(({ keys }) => String(keys['sk']?.['S']).startsWith(PATTERN_RECORD_SORT_KEY_PREFIX))
      .map(({ after }) => parsePatternImage(after));
    const snapshot = changes.find(({ keys }) => keys['sk']?.['S'] === PATTERN_SORT_KEY);
    if (snapshot === undefined) {
      if (records.length > 0) this.#violate('events of a pattern were written without it');
      return;
    }
    const head = patternRow.parse(unmarshall(attributes.parse(snapshot.after)));
    const { id, grant } = head.pattern;
    if (records.length === 0) this.#violate(`the exemption of pattern ${id} changed without an event`);
    if (grant !== null) {
      if (grant.grantedBy.userId === grant.confirmedBy.userId) this.#violate(`pattern ${id} by one person twice`);
      for (const by of [grant.grantedBy, grant.confirmedBy]) {
        if (!this.#patternApprovers().includes(by.userId)) this.#violate(`pattern ${id} by ${by.userId}, who may not`);
      }
    }
    this.#patterns.set(id, { head, records: [...(this.#patterns.get(id)?.records ?? []), ...records] });
  }

  /** A key follows a pattern only while two people's word holds, and only if it is meant and neither caused the finding. */
  #checkFollows(event: FindingEvent, key: KeyIdentity, before: Finding | undefined): void {
    const exemption = 'exemption' in event ? event.exemption : undefined;
    if (exemption?.pattern === undefined) return;
    const where = `${event.type} of ${key.arn} by pattern ${exemption.pattern.id}`;
    const pattern = this.#patterns.get(exemption.pattern.id)?.head.pattern;
    if (pattern === undefined || pattern.grant === null) {
      this.#violate(`${where}, which nobody granted`);
      return;
    }
    const { grant, ended } = pattern;
    if (Date.parse(exemption.until) <= Date.parse(event.at)) this.#violate(`${where}, which has run out`);
    // Whoever opens a finding has read the patterns a little before.
    if (ended !== null && Date.parse(event.at) - Date.parse(ended.at) > POLICY_LAG_MS) {
      this.#violate(`${where}, which had ended`);
    }
    const facts = before !== undefined && 'facts' in before ? before.facts : null;
    if (!isMeantBy(pattern.pattern, key, facts)) this.#violate(`${where}, which does not mean it`);
    const cause = before?.trigger.kind === 'cloudtrail' ? before.trigger.actor.email : null;
    for (const { userId } of [grant.grantedBy, grant.confirmedBy]) {
      const email = PEOPLE.find(({ id }) => id === userId)?.email;
      if (cause !== null && cause === email) this.#violate(`${where}, for a finding of ${userId}'s own`);
    }
  }

  #patternApprovers(): string[] {
    const approvers = this.#policy.exemptions.patterns?.approvers;
    if (approvers === undefined) return [];
    const groups = USER_GROUPS.filter(({ id }) => approvers.userGroups.includes(id));
    return [...approvers.users, ...groups.flatMap(({ users }) => users)];
  }

  public onKmsCall(call: KmsCall): void {
    if (call.invocation === undefined) return;
    this.#kmsCalls.set(call.invocation, [...(this.#kmsCalls.get(call.invocation) ?? []), call]);
    const isChange = CHANGING.includes(call.operation);
    const role = isChange ? REMEDIATE_ROLE : READ_ROLE;
    if (call.caller.roleName !== role) this.#violate(`${call.operation} was called with role ${call.caller.roleName}`);
    if (isChange) this.#checkChange(call);
  }

  #checkChange({ operation, keyArn, input, invocation }: KmsCall): void {
    const finding = this.#findings.get(keyArn);
    const where = `${operation} of ${keyArn}`;
    if (invocation?.functionName !== 'remediate-key') this.#violate(`${where} by ${invocation?.functionName ?? ''}`);
    if (finding?.status === 'exempt' && Date.parse(finding.exemption.until) > this.#now()) {
      this.#violate(`${where} under a live exemption`);
    }
    if (finding?.status !== 'approved') {
      this.#violate(`${where} without an approval: the finding is ${finding?.status ?? 'unknown'}`);
      return;
    }
    if (finding.startedAt === null) this.#violate(`${where} before its start was recorded`);
    const approved = approvedCall(finding.remedy);
    if (approved.operation !== operation || approved.period !== input['RotationPeriodInDays']) {
      this.#violate(`${where} is not what was approved (${finding.remedy.id})`);
    }
    const by = finding.approval.by;
    if (by.kind === 'person' && !this.#approversOf(finding).includes(by.person.userId)) {
      this.#violate(`${where} on the word of ${by.person.userId}`);
    }
    if (by.kind === 'policy' && finding.mode !== 'auto') this.#violate(`${where} by policy on a route that asks`);
    if (this.#policyBrokenSince !== null && this.#now() - this.#policyBrokenSince > POLICY_LAG_MS) {
      this.#violate(`${where} although the policy cannot be read`);
    }
  }

  #onceOnly({ cause, key, event }: AuditEvent): void {
    if (cause.kind !== 'slack' && cause.kind !== 'cloudtrail') return;
    const id = `${cause.kind} ${cause.id} ${key.arn}`;
    if (this.#causes.has(id)) this.#violate(`${cause.kind} ${cause.id} was acted upon twice`);
    this.#causes.add(id);
    if (event.type !== 'command-refused') this.#effective.add(cause.id);
  }

  #checkEvent({ event, key }: AuditEvent, before: Finding | undefined, invocation: Invocation | undefined): void {
    const reads = (invocation === undefined ? [] : (this.#kmsCalls.get(invocation) ?? [])).filter(
      ({ keyArn }) => keyArn === key.arn,
    );
    this.#checkReading(event, reads);
    this.#checkAuthority(event, before);
    if (DISTURBING.includes(event.type)) this.#checkHours(event, before);
    if (event.type === 'remediated' || event.type === 'backed-out') this.#checkProof(event, reads);
    if ('exemption' in event) {
      const { until, grantedAt, owner } = event.exemption;
      if (Date.parse(until) - Date.parse(grantedAt) > this.#policy.exemptions.maximumDays * DAY) {
        this.#violate(`an exemption until ${until} was granted at ${grantedAt}`);
      }
      const { since } = event.exemption;
      if (
        since === undefined ||
        Date.parse(until) - Date.parse(since) > this.#policy.exemptions.maximumTotalDays * DAY
      ) {
        this.#violate(`an exemption until ${until} of a key that was first exempt at ${since ?? 'an unknown time'}`);
      }
      if (!fullMembers.includes(owner.userId)) this.#violate(`${owner.userId} became the owner of an exemption`);
    }
  }

  /** Nobody is disturbed at night where the route has working hours. */
  #checkHours({ type, at }: FindingEvent, before: Finding | undefined): void {
    const hours = this.#policy.routes.find(({ name }) => name === before?.route)?.workingHours;
    if (hours === undefined || hours === null) return;
    const options = { timeZone: hours.timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    const wall = new Date(at).toLocaleTimeString('en-GB', options);
    if (wall < hours.from || wall >= hours.to) this.#violate(`${type} at ${wall} ${hours.timeZone}`);
  }

  #checkReading(event: FindingEvent, reads: readonly KmsCall[]): void {
    if (!('assessment' in event)) return;
    const { verdict } = event.assessment;
    if (verdict !== 'rotation-off' && verdict !== 'period-too-long') return;
    const statuses = reads.filter(({ operation, status }) => operation === 'GetKeyRotationStatus' && status === 200);
    const expected = verdict === 'period-too-long';
    if (!statuses.some(({ body }) => body['KeyRotationEnabled'] === expected)) {
      this.#violate(`${event.type} says "${verdict}", which KMS never said`);
    }
  }

  #checkAuthority(event: FindingEvent, before: Finding | undefined): void {
    const decision = decisionOf(event);
    if (decision === null) return;
    const { isExcuse } = decision;
    // Those of a pattern are judged by it.
    if (isOfPattern(event)) return;
    for (const by of decision.by) this.#checkPerson(event, by, isExcuse, before);
    if (isExcuse && event.type !== 'confirmation-requested') this.#checkFourEyes(event, decision.by, before);
  }

  /** Two people where the route asks for it, or where one alone may be who caused the finding. */
  #checkFourEyes(event: FindingEvent, by: readonly PersonRef[], before: Finding | undefined): void {
    if (before === undefined) return;
    const request = requestOf(before);
    const [first, second] = by;
    if (second === undefined) {
      const routeAsks = [...this.#policy.routes, this.#policy.defaultRoute].some(
        ({ name, fourEyes }) => name === before.route && fourEyes,
      );
      if (routeAsks) this.#violate(`${event.type} by one person on a route that asks for two`);
      if (!isCauseTold(before.trigger)) this.#violate(`${event.type} by one person, who may have caused it`);
      return;
    }
    if (first?.userId === second.userId) this.#violate(`${event.type} by one person twice`);
    if (request === null || request.by.userId !== first?.userId) this.#violate(`${event.type} was not asked for`);
    else if (Date.parse(request.lapsesAt) <= Date.parse(event.at)) this.#violate(`${event.type} came too late`);
  }

  #checkPerson(event: FindingEvent, by: PersonRef, isExcuse: boolean, before: Finding | undefined): void {
    if (before !== undefined && !this.#approversOf(before).includes(by.userId))
      this.#violate(`${event.type} by ${by.userId}, who may not`);
    const cause = before?.trigger.kind === 'cloudtrail' ? before.trigger.actor.email : null;
    const email = PEOPLE.find(({ id }) => id === by.userId)?.email;
    if (isExcuse && cause !== null && cause === email) this.#violate(`${by.userId} excused a finding of their own`);
  }

  /** User ids of those who may decide on a finding's route, by name or by user group. */
  #approversOf({ route: name }: Finding): string[] {
    const { routes, defaultRoute } = this.#policy;
    const { approvers } = routes.find((route) => route.name === name) ?? defaultRoute;
    const groups = USER_GROUPS.filter(({ id }) => approvers.userGroups.includes(id));
    return [...approvers.users, ...groups.flatMap(({ users }) => users)];
  }

  #checkProof(event: Extract<FindingEvent, { type: 'remediated' | 'backed-out' }>, calls: readonly KmsCall[]): void {
    const lastChange = calls.findLastIndex(({ operation }) => CHANGING.includes(operation));
    const { proof } = event;
    const statuses = calls
      .slice(lastChange + 1)
      .filter(({ operation }) => operation === 'GetKeyRotationStatus' || operation === 'ListKeyRotations')
      .slice(-READS_BEFORE_SUCCESS);
    const agree = statuses.filter(({ operation, status, body }) =>
      operation === 'GetKeyRotationStatus'
        ? status === 200 && body['KeyRotationEnabled'] === proof.rotationEnabled
        : status === 200 && JSON.stringify(body).includes(proof.currentKeyMaterialId ?? 'nothing'),
    );
    if (agree.length < READS_BEFORE_SUCCESS) {
      this.#violate(`${event.type} is claimed after ${agree.length} agreeing reads`);
    }
  }

  /** Looks at everything once more when nothing is left to happen. */
  public atRest(world: World): void {
    if (world.deadLetters.length > 0) this.#violate(`${world.deadLetters.length} events ended as dead letters`);
    if (world.givenUp.length > 0) this.#violate(`given up: ${world.givenUp.join(', ')}`);
    for (const key of world.keys) {
      if (!world.lockedOut.has(key.arn)) this.#checkKey(key);
    }
    for (const [arn, events] of this.#events) this.#checkTrail(arn, events);
    for (const [id, { head, records }] of this.#patterns) this.#checkPattern(id, head, records, world);
    this.#checkMessages(world);
  }

  #checkPattern(id: string, head: PatternHead, records: readonly PatternRecord[], { workspace, deleted }: World): void {
    const chain = verifyPatternChain(records, digest, head);
    if (!chain.intact) this.#violate(`the audit chain of pattern ${id} is broken: ${chain.problem}`);
    const unheard = records.filter((record) => !this.#published.has(record.id));
    if (unheard.length > 0) this.#violate(`${unheard.length} events of pattern ${id} were never published`);
    const { pattern } = head;
    if (pattern === undefined) return;
    if (!pattern.isApplied) this.#violate(`pattern ${id} was never applied to the end`);
    const { request, grant, ended } = pattern;
    if (ended === null && grant !== null && Date.parse(grant.until) < this.#now()) {
      this.#violate(`the exemption of pattern ${id} does not end`);
    }
    if (request !== null && Date.parse(request.lapsesAt) < this.#now())
      this.#violate(`the request of ${id} does not lapse`);
    for (const [arn, finding] of this.#findings) {
      if (finding.status !== 'exempt' || finding.exemption.pattern?.id !== id) continue;
      if (ended?.because === 'revoked') this.#violate(`${arn} is exempt by pattern ${id}, which was ended`);
      // Earlier, where a person had asked about the key itself when the pattern was renewed.
      if (grant === null || Date.parse(finding.exemption.until) > Date.parse(grant.until)) {
        this.#violate(`${arn} is exempt until ${finding.exemption.until}, longer than by its pattern`);
      }
    }
    const messages = workspace.channels.flatMap((channel) => channel.messages);
    const postId = `pattern#${id}#root`;
    const shown = messages.filter(({ metadata }) => metadata?.event_payload['post_id'] === postId);
    if (shown.length > 1) this.#violate(`${shown.length} messages for pattern ${id}`);
    const [message] = shown;
    if (message === undefined) {
      if (!deleted.has(postId)) this.#violate(`no message for pattern ${id}`);
      return;
    }
    if (message.subtype === 'tombstone') return;
    const moments = [...records.map(({ event }) => event.at), new Date(this.#now()).toISOString()];
    const fits = moments.some((now) => {
      return renderPatternMessage(pattern, { policy: this.#policy, now, covered: null }).text === message.text;
    });
    if (!fits) this.#violate(`the message of pattern ${id} shows something else than what holds: ${message.text}`);
  }

  #checkKey(key: KeyView): void {
    const finding = this.#findings.get(key.arn);
    const truth = truthOf(key, this.#policy);
    const status = finding?.status;
    if (status === 'approved') this.#violate(`the remediation of ${key.arn} never came to an end`);
    if (truth === 'problem' && (status === undefined || status === 'remediated' || status === 'closed')) {
      this.#violate(`lost: ${key.arn} has a problem, and its finding is ${status ?? 'missing'}`);
    }
    const stillAsks = status === 'open' || status === 'failed';
    if (truth === 'fine' && stillAsks && finding?.assessment.verdict !== 'unknown') {
      this.#violate(`${key.arn} is fine, and people are still asked about it`);
    }
    const request = finding === undefined ? null : requestOf(finding);
    if (request !== null && Date.parse(request.lapsesAt) < this.#now()) {
      this.#violate(`a request about ${key.arn} waits although its time is over`);
    }
    if (status === 'exempt' && finding?.status === 'exempt' && Date.parse(finding.exemption.until) < this.#now()) {
      this.#violate(`the exemption of ${key.arn} does not end`);
    }
  }

  #checkTrail(arn: string, events: readonly AuditEvent[]): void {
    const chain = verifyChain(events, digest, this.#heads.get(arn));
    if (!chain.intact) this.#violate(`the audit chain of ${arn} is broken: ${chain.problem}`);
    const unheard = events.filter(({ id }) => !this.#published.has(id));
    if (unheard.length > 0) this.#violate(`${unheard.length} events of ${arn} were never published`);
  }

  #checkMessages({ workspace, deleted, rows }: World): void {
    const live = new Map<string, { message: Message; channel: string }[]>();
    for (const { id: channel, messages } of workspace.channels) {
      for (const message of messages) {
        const postId = message.metadata?.event_payload['post_id'];
        if (typeof postId !== 'string' || message.subtype === 'tombstone') continue;
        live.set(postId, [...(live.get(postId) ?? []), { message, channel }]);
      }
    }
    for (const [postId, posts] of live) {
      // A reply below a message that was deleted stands nowhere any more.
      const places = posts.map(({ message, channel }) => `${channel} ${message.thread_ts ?? 'channel'}`);
      // The bot cannot read direct messages, so that it may repeat one.
      const isDirect = posts.every(({ channel }) => channel.startsWith('D'));
      if (!isDirect && new Set(places).size < places.length) this.#violate(`${posts.length} messages for ${postId}`);
    }
    const digests = digestsIn(rows);
    for (const [arn, events] of this.#events) {
      for (const [episode, finding] of this.#episodesOf(arn, events)) {
        const [root] = live.get(`${arn}#${episode}#root`) ?? [];
        const within = digests.filter(({ members }) => members.has(`MESSAGE#${episode}#root of KEY#${arn}`));
        // What is only observed need not be shown, but what was shown before the mode changed stays true.
        if (finding.mode === 'observe' && root === undefined && within.length === 0) continue;
        for (const { event, sequence } of events) {
          if (event.type !== 'exemption-granted' && event.type !== 'exemption-reminded') continue;
          // Of a pattern the owner is told once.
          if (isOfPattern(event)) continue;
          const postId = `${arn}#${episode}#owner-${sequence}`;
          const told = live.has(postId) || deleted.has(postId);
          const isOf = events.find((other) => other.sequence === sequence)?.episode === episode;
          if (isOf && !told) this.#violate(`${event.type} of ${arn} was not told to the owner`);
        }
        for (const digest of within) digest.findings.push(finding);
        if (within.length > 0) {
          if (within.length > 1) this.#violate(`${arn} is in ${within.length} digests`);
          if (root !== undefined) this.#violate(`${arn} is in a digest and has a message of its own`);
        } else if (root === undefined) {
          // Nobody has to look at a message that somebody deleted.
          const isMissed = isAsked(events.filter((record) => record.episode === episode));
          if (isMissed && !deleted.has(`${arn}#${episode}#root`)) {
            this.#violate(`no message for episode ${episode} of ${arn}`);
          }
        } else if (isReply(root.message)) this.#violate(`the message of ${arn} stands in a thread`);
        else this.#checkContent(root.message, finding, events);
      }
    }
    for (const digest of digests) {
      if (digest.isForgotten) continue;
      const postId = `digest#${digest.id}#root`;
      const [root] = live.get(postId) ?? [];
      if (root !== undefined) this.#checkDigest(root.message, digest);
      else if (digest.findings.length > 0 && !deleted.has(postId)) this.#violate(`digest ${digest.id} has no message`);
      this.#checkBatches(digest);
    }
  }

  /** The digest shows its findings as they are; counted from the trails, not from what the table says of its members. */
  #checkDigest({ text, blocks = [] }: Message, digest: DigestInTable): void {
    const now = new Date(this.#now()).toISOString();
    const members = digest.findings.map((finding) => ({ ...memberOf(finding, this.#policy.digest), joinedAt: now }));
    const moved = digest.rows.filter(({ member }) => member.status === 'moved');
    const content = renderDigest(
      { id: digest.id, beganAt: digest.beganAt, members: [...members, ...moved.map(joined)], batches: digest.batches },
      { policy: this.#policy, now: new Date(this.#now() + MINUTE).toISOString() },
    );
    const buttons = content.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    const expected = buttons.map(({ action_id, text: { text: label } }) => `${action_id} ${label}`);
    const shown = blocks.flatMap(buttonsOf).map(({ action_id, text: { text: label } }) => `${action_id} ${label}`);
    if (text !== content.text || !same(shown, expected)) {
      this.#violate(
        `the digest shows "${text}" with ${shown.join(', ')}, not "${content.text}" with ${expected.join(', ')}`,
      );
    }
  }

  /** Every batch came to its end, and left no key undecided that it was for. */
  #checkBatches({ id, batches, rows }: DigestInTable): void {
    for (const { batch, doneAt } of batches) {
      if (doneAt === null) this.#violate(`batch ${batch.requestId} of ${id} never came to an end`);
      for (const { member, joinedAt } of rows) {
        const events = this.#events.get(member.key.arn) ?? [];
        const byBatch = events.filter(
          ({ cause, episode }) => cause.id === batch.requestId && episode === member.episode,
        );
        if (byBatch.length > 1) this.#violate(`batch ${batch.requestId} decided ${member.key.arn} twice`);
        if (byBatch.length > 0 && joinedAt > batch.upTo && byBatch[0]?.event.type !== 'command-refused') {
          this.#violate(`batch ${batch.requestId} decided ${member.key.arn}, which its person was not shown`);
        }
        for (const { event, sequence } of byBatch) {
          const before = replay(events.filter((other) => other.sequence < sequence).map((other) => other.event));
          if (before === undefined || !isApprovable(before)) {
            this.#violate(`batch ${batch.requestId} decided ${member.key.arn}, which was not to be approved then`);
          }
          const by = event.type === 'remediation-approved' ? event.approval.by : null;
          if (by?.kind === 'person' && by.person.userId !== batch.person.userId) {
            this.#violate(`batch ${batch.requestId} of ${batch.person.userId} decided as ${by.person.userId}`);
          }
        }
        const finding = this.#findings.get(member.key.arn);
        const isLeft = finding?.episode === member.episode && isApprovable(finding) && joinedAt <= batch.upTo;
        const wasApprovable = (finding?.status === 'open' ? finding.askedAt : '') < batch.at;
        if (isLeft && wasApprovable && byBatch.length === 0 && isInTime(batch, new Date(this.#now()).toISOString())) {
          this.#violate(`batch ${batch.requestId} left out ${member.key.arn}`);
        }
      }
    }
  }

  /** The message shows the last state; which moment it was rendered at may differ. */
  #checkContent(message: Message, finding: Finding, events: readonly AuditEvent[]): void {
    const moments = [...events.map(({ event }) => event.at), new Date(this.#now()).toISOString()];
    const shown = { text: message.text, buttons: (message.blocks ?? []).flatMap(buttonsOf).map((b) => b.action_id) };
    const fits = moments.some((now) => {
      const { text, blocks } = renderFinding(finding, { policy: this.#policy, now });
      const buttons = blocks.flatMap((block) =>
        block.type === 'actions' ? block.elements.map(({ action_id }) => action_id) : [],
      );
      return text === shown.text && same(buttons, shown.buttons);
    });
    if (!fits)
      this.#violate(`the message of ${finding.key.arn} shows something else than ${finding.status}: ${shown.text}`);
  }

  /** The last state of each episode. */
  #episodesOf(arn: string, events: readonly AuditEvent[]): [number, Finding][] {
    const episodes = [...new Set(events.map(({ episode }) => episode))];
    try {
      return episodes.flatMap((episode): [number, Finding][] => {
        const finding = replay(events.filter((event) => event.episode <= episode).map(({ event }) => event));
        return finding === undefined ? [] : [[episode, finding]];
      });
    } catch (error) {
      this.#violate(`the events of ${arn} cannot have happened: ${String(error)}`);
      return [];
    }
  }

  #violate(what: string): void {
    this.violations.push(what);
  }
}

function isEvent({ keys }: ItemChange): boolean {
  const sk = keys['sk']?.['S'];
  return typeof sk === 'string' && sk.startsWith(EVENT_SORT_KEY_PREFIX);
}

const patternRow = z.object({ pattern: patternSchema, sequence: z.number(), hash: z.string() });
const snapshotRow = z.object({ finding: findingSchema, sequence: z.number(), hash: z.string() });
const attributes = z.record(z.string(), z.custom<never>());

function snapshotOf(item: Item) {
  return snapshotRow.parse(unmarshall(attributes.parse(item)));
}

function approvedCall(remedy: Extract<Finding, { status: 'approved' }>['remedy']): {
  operation: string;
  period: number | undefined;
} {
  switch (remedy.id) {
    case 'enable-rotation':
      return { operation: 'EnableKeyRotation', period: remedy.rotationPeriodInDays };
    case 'disable-rotation':
      return { operation: 'DisableKeyRotation', period: undefined };
    case 'rotate-on-demand':
      return { operation: 'RotateKeyOnDemand', period: undefined };
  }
}

/** Who decided something, and whether it was that a key need not rotate. */
function decisionOf(event: FindingEvent): { by: PersonRef[]; isExcuse: boolean } | null {
  switch (event.type) {
    case 'remediation-approved':
      return event.approval.by.kind === 'person' ? { by: [event.approval.by.person], isExcuse: false } : null;
    case 'back-out-approved':
      return { by: peopleBehind(event.thenExempt), isExcuse: true };
    case 'exemption-granted':
    case 'exemption-renewed':
      return { by: peopleBehind(event.exemption), isExcuse: true };
    case 'confirmation-requested':
      return { by: [event.request.by], isExcuse: true };
    case 'request-withdrawn':
    case 'exemption-shortened':
    case 'exemption-revoked':
      return { by: [event.by], isExcuse: false };
    case 'finding-opened':
    case 'finding-reassessed':
    case 'finding-closed':
    case 'mode-changed':
    case 'recheck-requested':
    case 'rechecked':
    case 'remediation-started':
    case 'remediated':
    case 'backed-out':
    case 'remediation-failed':
    case 'remediation-overdue':
    case 'request-lapsed':
    // Its owner may say so too.
    case 'exemption-end-accepted':
    case 'exemption-expired':
    case 'exemption-reminded':
    case 'reminded':
    case 'escalated':
    case 'command-refused':
      return null;
  }
}

/** Whether somebody had to look at an episode. What one change passes through, nobody sees. */
function isAsked(records: readonly AuditEvent[]): boolean {
  return records.some(({ statusAfter, cause }, index) => {
    const isPassing = records[index + 1]?.cause.id === cause.id;
    return !isPassing && statusAfter !== 'exempt' && statusAfter !== 'closed';
  });
}

/** Whether an event only follows what was decided about a pattern. */
function isOfPattern(event: FindingEvent): boolean {
  if (event.type === 'exemption-revoked') return event.withPattern === true;
  return 'exemption' in event && event.exemption.pattern !== undefined;
}

function peopleBehind({ grantedBy, confirmedBy }: Exemption): PersonRef[] {
  return confirmedBy === undefined ? [grantedBy] : [grantedBy, confirmedBy];
}

/** Whether it is known who caused a finding, or that no person did. */
function isCauseTold(trigger: Trigger): boolean {
  switch (trigger.kind) {
    case 'cloudtrail':
      return trigger.actor.email !== null || trigger.actor.type === 'AWSService';
    case 'kms-event':
    case 'exemption-end':
      return true;
    case 'recheck':
    case 'second-look':
    case 'sweep':
      return false;
  }
}

/** Whether the key, as it truly is, needs somebody; `other` where rotation cannot be asked of it or only time will tell. */
function truthOf(key: KeyView, policy: Policy): 'problem' | 'fine' | 'other' {
  const isEligible =
    key.keyManager === 'CUSTOMER' &&
    key.keySpec === 'SYMMETRIC_DEFAULT' &&
    key.keyState === 'Enabled' &&
    key.multiRegion !== 'REPLICA';
  if (!isEligible) return 'other';
  if (key.origin === 'AWS_KMS') {
    const { enabled, periodInDays = 0 } = key.rotation;
    return enabled && periodInDays <= policy.rotation.maximumPeriodInDays ? 'fine' : 'problem';
  }
  if (key.origin !== 'EXTERNAL') return 'other';
  return (key.material ?? []).some(({ state }) => state === 'PENDING_ROTATION') ? 'problem' : 'other';
}

/** A digest as the table has it. */
type DigestInTable = {
  id: string;
  beganAt: string;
  /** Which messages were left to it: sort key and partition. */
  members: ReadonlySet<string>;
  rows: readonly { member: DigestMember; joinedAt: string }[];
  batches: readonly { batch: Batch; doneAt: string | null; refused: number }[];
  /** Nothing has happened in it for months: its rows are gone, and its message is what it was. */
  isForgotten: boolean;
  /** The findings that it has to show, to be filled in. */
  findings: Finding[];
};

const digestRow = z.object({ pk: z.string(), sk: z.literal('DIGEST'), beganAt: z.string() });
const memberRow = z.object({ pk: z.string(), member: digestMemberSchema, joinedAt: z.string() });
const batchRow = z.object({ pk: z.string(), batch: batchSchema, doneAt: z.string().optional(), refused: z.number() });
const inDigestRow = z.object({ pk: z.string(), sk: z.string(), state: z.literal('in-digest'), digest: z.string() });

function digestsIn(rows: readonly Item[]): DigestInTable[] {
  const plain = rows.map((row) => unmarshall(attributes.parse(row)));
  const all = <T extends z.ZodType>(schema: T): z.infer<T>[] =>
    plain.flatMap((row) => schema.safeParse(row).data ?? []);
  const [members, batches, left] = [all(memberRow), all(batchRow), all(inDigestRow)];
  const begun = new Map(all(digestRow).map(({ pk, beganAt }) => [pk, beganAt]));
  const partitions = new Set([...begun.keys(), ...left.map(({ digest }) => `DIGEST#${digest}`)]);
  return [...partitions].map((pk) => ({
    id: pk.slice('DIGEST#'.length),
    beganAt: begun.get(pk) ?? '',
    isForgotten: !begun.has(pk),
    members: new Set(left.filter(({ digest }) => `DIGEST#${digest}` === pk).map((row) => `${row.sk} of ${row.pk}`)),
    rows: members.filter((row) => row.pk === pk),
    batches: batches
      .filter((row) => row.pk === pk)
      .map(({ batch, doneAt = null, refused }) => ({ batch, doneAt, refused }))
      .sort((a, b) => (`${a.batch.at}#${a.batch.requestId}` < `${b.batch.at}#${b.batch.requestId}` ? -1 : 1)),
    findings: [],
  }));
}

function joined({ member, joinedAt }: { member: DigestMember; joinedAt: string }) {
  return { ...member, joinedAt };
}
