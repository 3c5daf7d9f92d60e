import type { Batch, JoinedMember } from '../../../functions/domain/digest.ts';
import { memberOf } from '../../../functions/domain/digest.ts';
import type { Finding, Status } from '../../../functions/domain/finding.ts';
import { type DigestView, renderDigest } from '../../../functions/messages/digest-message.ts';
import { renderDigestReply } from '../../../functions/messages/digest-reply.ts';
import { approveAllSentence } from '../../../functions/messages/digest-sentence.ts';
import {
  aFinding,
  aKey,
  anActor,
  anExemption,
  anOpening,
  aPerson,
  aPolicy,
  aTrigger,
  given,
  KEY,
  later,
} from '../../builders.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';

const POLICY = aPolicy();
const NOW = later({ hours: 2 });
const ID = `C0SECURITY#${later({})}`;

function aMember(finding: Finding, index = 0, changes: Partial<JoinedMember> = {}): JoinedMember {
  const arn = `${KEY.arn.slice(0, -4)}${String(index).padStart(4, '0')}`;
  const key = { ...finding.key, arn, accountId: index % 3 === 0 ? '444455556666' : KEY.accountId };
  return { ...memberOf(finding, POLICY.digest), key, joinedAt: later({ minutes: 1 }), ...changes };
}

function aDigest(changes: Partial<DigestView> = {}): DigestView {
  const open = given([anOpening()]);
  const members = Array.from({ length: 12 }, (_, index) =>
    aMember(open, index, { alias: `storm-${index}`, comesFirst: index === 7 }),
  );
  return { id: ID, beganAt: later({}), members, batches: [], ...changes };
}

function aBatch(changes: Partial<Batch> = {}): Batch {
  return {
    ...{ digest: ID, requestId: 'request-1', at: later({ minutes: 5 }), person: aPerson(), groups: { known: false } },
    ...{ policyVersion: '1', upTo: later({ minutes: 4 }), count: 12 },
    ...changes,
  };
}

function shown(digest: DigestView, now = NOW) {
  const message = renderDigest(digest, { policy: POLICY, now });
  expectSlackTakes(message);
  const buttons = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    text: message.text,
    words: wordsOf(message.blocks),
    buttons: buttons.map(({ text, value, confirm }) => ({ label: text.text, value, confirm: confirm?.text.text })),
  };
}
const inStatus = (status: Status, index: number) => aMember(aFinding(status), index);

describe('renderDigest', () => {
  it('asks about many findings at once, the first tags first', () => {
    expect(shown(aDigest())).toMatchSnapshot();
  });

  it('tells a mixed state: failed, imported, moved and decided ones', () => {
    const imported = { verdict: 'manual-rotation-due', pendingKeyMaterialId: null, lastRotatedAt: null } as const;
    const members = [
      ...(['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'] as const).map(inStatus),
      aMember(given([anOpening({ assessment: imported })]), 10),
      { ...inStatus('exempt', 11), status: 'moved' as const },
    ];
    expect(shown(aDigest({ members }))).toMatchSnapshot();
  });

  it('tells how far an approval of all is, and offers no second one meanwhile', () => {
    const { members } = aDigest();
    const approvedBy = { userId: aPerson().userId, at: later({ minutes: 6 }) };
    const some = members.map((member, index) =>
      index < 4 ? { ...member, status: 'approved' as const, isApprovable: false, approvedBy } : member,
    );
    const { text, buttons } = shown(
      aDigest({ members: some, batches: [{ batch: aBatch(), doneAt: null, refused: 0 }] }),
    );
    expect(text).toBe(
      '12 findings at once: 8 wait for a decision, 4 approved and under way. Key Owner decided to approve all 12 keys 2026-03-02 09:05 UTC: 4 of 12 approved so far.',
    );
    expect(buttons.map(({ label }) => label)).toEqual(['Review']);
  });

  it('tells how an approval of all ended', () => {
    const members = [inStatus('remediated', 0), inStatus('open', 1), inStatus('closed', 2)].map((member) => ({
      ...member,
      approvedBy: member.status === 'remediated' ? { userId: aPerson().userId, at: later({ minutes: 6 }) } : null,
    }));
    const batches = [{ batch: aBatch({ count: 3 }), doneAt: NOW, refused: 1 }];
    expect(shown(aDigest({ members, batches })).text).toBe(
      `3 findings at once: 1 waits for a decision, 1 remediated, 1 closed. Key Owner decided to approve all 3 keys 2026-03-02 09:05 UTC: 1 of 3 approved, 1 refused (each key's audit trail says why), 1 settled in another way meanwhile.`,
    );
  });

  it('leaves no button when all are decided', () => {
    const { text, buttons } = shown(aDigest({ members: [inStatus('remediated', 0), inStatus('exempt', 1)] }));
    expect(text).toBe('2 findings, all decided: 1 remediated, 1 exempt.');
    expect(buttons).toEqual([]);
  });

  it('offers to approve exactly those who are certain to be in it', () => {
    const [first, ...rest] = aDigest().members;
    if (first === undefined) throw new Error('no member');
    const fresh = { ...first, joinedAt: NOW };
    const { buttons } = shown(aDigest({ members: [fresh, ...rest] }));
    expect(buttons.map(({ label }) => label)).toEqual(['Review', 'Approve all 11']);
  });

  it('is one that Slack takes with the longest and worst that can come in', () => {
    const nasty = '<!channel>\u202e*_~`&'.repeat(200);
    const members = Array.from({ length: 10_000 }, (_, index) =>
      aMember(
        given([
          anOpening({
            facts: aKey({ aliases: [nasty] }),
            trigger: aTrigger({ actor: anActor({ name: `${nasty}${index}` }) }),
          }),
        ]),
        index,
        { key: { ...KEY, arn: `${KEY.arn}-${index}`, accountId: String(100_000_000_000 + index) }, alias: nasty },
      ),
    );
    const batches = Array.from({ length: 20 }, (_, index) => ({
      batch: aBatch({ requestId: `request-${index}`, person: aPerson({ name: nasty }) }),
      doneAt: NOW,
      refused: 10_000,
    }));
    const { text } = shown({ id: ID, beganAt: later({}), members, batches });
    expect(text).not.toMatch(/<!channel>/);
  });
});

describe('the reply below a digest', () => {
  const record = (event: Parameters<typeof renderDigestReply>[0]['event']) => ({
    ...{ schema: 1 as const, id: 'e', sequence: 4, key: KEY, episode: 1, statusBefore: 'open' as const },
    ...{ statusAfter: 'open' as const, event, cause: { kind: 'clock' as const, id: 'sweep' }, policyVersion: '1' },
    ...{ previousHash: '', hash: '' },
  });
  const reply = (event: Parameters<typeof record>[0], finding: Finding = aFinding('failed')) =>
    renderDigestReply(record(event), { policy: POLICY, now: NOW, finding });

  it('reminds once for all, and escalates once for all, in the channel too', () => {
    expect(reply({ type: 'reminded', at: NOW, reminder: 2 })).toMatchObject({ part: 'reminder-2', broadcast: false });
    expect(reply({ type: 'escalated', at: NOW })).toMatchObject({ part: 'escalated', broadcast: true });
  });

  it('tells one failure a minute', () => {
    const failure = { because: 'rotation-limit-reached' } as const;
    const failed = reply({ type: 'remediation-failed', at: NOW, failure, kmsRequestId: null });
    expect(failed).toMatchObject({ part: 'failed-2026-03-02T11:00', broadcast: true });
    expect(failed?.text).toMatch(/^Remediation of alias\/payments\/ledger failed\. .*"Review" lists them\. Approvers/);
  });

  it('tells of an exemption, with the name of the key and its owner', () => {
    const granted = reply({ type: 'exemption-granted', at: NOW, exemption: anExemption() }, aFinding('exempt'));
    expect(granted).toMatchObject({ part: `${KEY.arn}#4`, broadcast: false });
    expect(granted?.text).toMatch(/^alias\/payments\/ledger: Key Owner exempted the key until .*, owner Key Owner/);
  });

  it('is not there for what the digest shows by itself', () => {
    expect(reply({ type: 'escalated', at: NOW })).not.toBeNull();
    expect(reply({ type: 'recheck-requested', at: NOW, by: aPerson() })).toBeNull();
  });
});

describe('the sentence after "Approve all"', () => {
  it.each([
    [{ kind: 'accepted', count: 120 }],
    [{ kind: 'accepted', count: 1 }],
    [{ kind: 'under-way', by: aPerson({ name: '<!here> Approver' }), at: NOW }],
    [{ kind: 'refused', refusal: { reason: 'not-an-approver' } }],
    [{ kind: 'forgotten' }],
    [{ kind: 'repeated' }],
  ] as const)('says what became of it: $kind', (outcome) => {
    expect(approveAllSentence(outcome)).toMatchSnapshot();
  });
});
