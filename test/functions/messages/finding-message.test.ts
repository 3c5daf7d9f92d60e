import type { DeniedBy, Problem } from '../../../functions/domain/assessment.ts';
import type { Finding, RotationHistory, Status } from '../../../functions/domain/finding.ts';
import type { RemediationFailure } from '../../../functions/domain/remedy.ts';
import { renderFinding } from '../../../functions/messages/finding-message.ts';
import {
  aFinding,
  aKey,
  anActor,
  aPersonRef,
  aPolicy,
  aRequest,
  aTrigger,
  KEY,
  later,
  PROBLEMS,
} from '../../builders.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';

const CONTEXT = { policy: aPolicy(), now: later({ hours: 2 }) };
const STATUSES: Status[] = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'];
const PRINCIPAL = 'arn:aws:sts::111122223333:assumed-role/kms-rotation-read/detect-finding';

function denied(deniedBy: DeniedBy): Problem {
  return {
    verdict: 'unknown',
    reason: { because: 'access-denied', operation: 'DescribeKey', deniedBy, principal: PRINCIPAL },
  };
}

const EVERY_PROBLEM: Problem[] = [
  ...PROBLEMS,
  denied('key-policy'),
  denied('identity-policy'),
  denied('service-control-policy'),
  denied('unspecified'),
  { verdict: 'unknown', reason: { because: 'unrecognised-key-state', keyState: 'Dreaming' } },
  { verdict: 'unknown', reason: { because: 'unrecognised-origin', origin: 'MOON' } },
  { verdict: 'unknown', reason: { because: 'period-not-reported' } },
  { verdict: 'unknown', reason: { because: 'kms-refused', operation: 'DescribeKey', code: 'InvalidArnException' } },
];

const EVERY_FAILURE: RemediationFailure[] = [
  { because: 'policy-denies', operation: 'EnableKeyRotation', deniedBy: 'key-policy', principal: PRINCIPAL },
  { because: 'not-confirmed', expected: 'rotation on', lastRead: 'rotation off' },
  { because: 'key-changed', found: { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 } },
  { because: 'rotation-limit-reached' },
  { because: 'kms-refused', operation: 'EnableKeyRotation', code: 'UnsupportedOperationException' },
  { because: 'no-result', attempts: 3 },
];

const DRIFT: RotationHistory = {
  switchedOnByBot: [{ at: later({ days: -2 }), approvedBy: { kind: 'person', person: aPersonRef() } }],
  switchedOffAgain: [{ at: later({}), by: 'deploy/pipeline', tool: 'Terraform' }],
};

function shown(finding: Finding, context = CONTEXT): { text: string; words: string; buttons: string[] } {
  const message = renderFinding(finding, context);
  expectSlackTakes(message);
  const buttons = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    text: message.text,
    words: wordsOf(message.blocks),
    buttons: buttons.map(({ text, action_id }) => `${text.text} -> ${action_id}`),
  };
}

function approveStyle(finding: Finding): string | undefined {
  const { blocks } = renderFinding(finding, CONTEXT);
  const buttons = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return buttons.find(({ action_id }) => action_id === 'approve')?.style;
}

describe('renderFinding', () => {
  it.each(STATUSES)('tells a finding in status %s', (status) => {
    expect(shown(aFinding(status))).toMatchSnapshot();
  });

  it.each(EVERY_PROBLEM.map((problem) => [JSON.stringify(problem).slice(0, 120), problem] as const))(
    'tells %s',
    (_, assessment) => {
      expect(shown({ ...aFinding('open'), assessment })).toMatchSnapshot();
    },
  );

  it.each(EVERY_FAILURE)('tells why a remediation failed: $because', (failure) => {
    expect(shown({ ...aFinding('failed'), failure })).toMatchSnapshot();
  });

  it('tells a drift loop with its history and the line that ends it', () => {
    expect(shown({ ...aFinding('open'), history: DRIFT })).toMatchSnapshot();
  });

  it('tells a finding of a key that nobody could read', () => {
    expect(shown({ ...aFinding('open'), facts: null, assessment: denied('key-policy') }).words).toContain(KEY.keyId);
  });

  it.each(STATUSES)('offers nothing while the key is only observed, in status %s', (status) => {
    const { buttons, words } = shown({ ...aFinding(status), mode: 'observe' });
    expect(buttons).toEqual([]);
    expect(words).toContain('only observed');
  });

  it('names the decider and the time in the text of every decided finding', () => {
    const decided: Status[] = ['approved', 'remediated', 'failed', 'exempt'];
    for (const { text } of decided.map((status) => shown(aFinding(status)))) {
      expect(text).toContain('Key Owner');
      expect(text).toContain('2026-03-02 09:10 UTC');
    }
  });

  it.each([
    { action: 'exempt', status: 'open' },
    { action: 'exempt', status: 'failed' },
    { action: 'renew-exemption', status: 'exempt' },
    { action: 'back-out', status: 'remediated' },
  ] as const)('tells of a request to $action a finding in status $status', ({ action, status }) => {
    const finding = { ...aFinding(status), request: aRequest({ action }) };
    expect(shown(finding)).toMatchSnapshot();
    const lapsed = shown(finding, { ...CONTEXT, now: later({ days: 1, minutes: 10 }) });
    expect(lapsed.buttons.filter((label) => label.includes('request'))).toEqual([]);
  });

  it('offers to let an exemption end once its owner was reminded, until somebody says so', () => {
    const exempt = aFinding('exempt');
    const withExemption = (changes: object) => shown({ ...exempt, exemption: { ...exempt.exemption, ...changes } });
    const offer = 'Let it run out -> let-exemption-end';
    expect(withExemption({}).buttons).not.toContain(offer);
    expect(withExemption({ remindedDays: [14] }).buttons).toEqual([
      'Renew… -> renew-exemption',
      offer,
      'Fix now -> fix-now',
      'Shorten… -> shorten-exemption',
      'End exemption now -> revoke-exemption',
    ]);
    const accepted = withExemption({ remindedDays: [14], endAcceptedBy: aPersonRef() });
    expect(accepted.buttons).not.toContain(offer);
    expect(accepted.text).toContain('Key Owner lets it run out.');
  });

  it.each(['open', 'failed', 'exempt', 'remediated'] as const)(
    'offers no exemption in status %s once the time that the policy allows in all is used up',
    (status) => {
      const finding = { ...aFinding(status), exemptSince: later({ days: -730 }) };
      expect(shown(finding).buttons.filter((label) => /exempt$|renew|back-out/.test(label))).toEqual([]);
    },
  );

  it('binds the buttons to the request that is shown', () => {
    const { blocks } = renderFinding({ ...aFinding('open'), request: aRequest() }, CONTEXT);
    const values = blocks.flatMap((block) =>
      block.type === 'actions' ? block.elements.map(({ action_id, value }) => [action_id, value]) : [],
    );
    const seen = JSON.stringify({ key: KEY.arn, episode: 1, request: aRequest().at });
    expect(values).toContainEqual(['confirm-request', seen]);
    expect(values).toContainEqual(['withdraw-request', seen]);
  });

  it('names both where it took two', () => {
    const confirmedBy = aPersonRef({ userId: 'U0SECOND', name: 'Second Approver' });
    const exempt = aFinding('exempt');
    const { text } = shown({ ...exempt, exemption: { ...exempt.exemption, confirmedBy } });
    expect(text).toContain('Granted by Key Owner (confirmed by Second Approver)');
  });

  it('offers approval only where a remedy exists', () => {
    const withApproval = EVERY_PROBLEM.filter((assessment) =>
      shown({ ...aFinding('open'), assessment }).buttons.some((button) => button.endsWith('-> approve')),
    );
    expect(withApproval).toEqual(PROBLEMS.slice(0, 3));
  });

  it('puts what was asked for before the remedy, and does not call the remedy what could be taken for consent', () => {
    const { buttons, words } = shown({ ...aFinding('open'), request: aRequest() });
    expect(buttons.map((button) => button.split(' -> ')[0])).toEqual([
      'Confirm exemption',
      'Withdraw',
      'Rotate instead',
      'Re-check',
    ]);
    expect(words).toContain('What "Rotate instead" does');
  });

  it('makes approving the obvious choice only where nothing speaks against it', () => {
    const drift = {
      ...aFinding('open').history,
      switchedOffAgain: [{ at: later({}), by: 'deployer', tool: 'Terraform' }],
    };
    expect(approveStyle(aFinding('open'))).toBe('primary');
    expect(approveStyle({ ...aFinding('open'), history: drift })).toBeUndefined();
    expect(approveStyle({ ...aFinding('open'), request: aRequest() })).toBeUndefined();
  });

  it('offers nothing that would fail again once all on-demand rotations of a key are used up', () => {
    const assessment = {
      verdict: 'manual-rotation-due',
      pendingKeyMaterialId: 'a'.repeat(64),
      lastRotatedAt: null,
    } as const;
    const { buttons, words } = shown({ ...aFinding('failed'), assessment });
    expect(buttons).toEqual(['Re-check -> re-check', 'Exempt… -> exempt']);
    expect(words).toContain('What the owner has to do: make a new key');
    expect(words).not.toContain('rotate-key-on-demand');
  });

  it('names the other aliases of a key, and counts the rest', () => {
    const aliases = ['payments/ledger', 'b', 'c', 'd', 'e', 'f'];
    const { words } = shown({ ...aFinding('open'), facts: aKey({ aliases }) });
    expect(words).toContain('Other aliases: alias/b, alias/c, alias/d and 2 more');
  });

  it('says that an exemption has ended when it asks again', () => {
    expect(shown({ ...aFinding('open'), exemptSince: later({ days: -60 }) }).text).toContain(
      'It was exempt from 2026-01-01 09:00 UTC on; that has ended.',
    );
  });

  it('says exactly what approving does, in the message and in the dialog', () => {
    const { blocks } = renderFinding(aFinding('open'), CONTEXT);
    const call =
      'EnableKeyRotation with RotationPeriodInDays=365 in eu-central-1 of payments-production (111122223333).';
    expect(wordsOf(blocks)).toContain(call);
    const [approve] = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    expect(approve?.confirm?.text.text).toBe(`alias/payments/ledger: ${call}`);
    expect(JSON.parse(approve?.value ?? '')).toEqual({ key: KEY.arn, episode: 1 });
  });

  it('offers the back-out until its window is over', () => {
    const open = { ...CONTEXT, now: later({ days: 14, minutes: 31 }) };
    const over = { ...CONTEXT, now: later({ days: 14, minutes: 31, milliseconds: 1 }) };
    expect(shown(aFinding('remediated'), open).buttons).toEqual(['Back out… -> back-out']);
    expect(shown(aFinding('remediated'), over).buttons).toEqual([]);
  });

  it('offers no back-out when the bot did not switch rotation on', () => {
    const history = { switchedOnByBot: [], switchedOffAgain: [] };
    expect(shown({ ...aFinding('remediated'), history }).buttons).toEqual([]);
  });

  it('does not call approving "Try again" after a failed back-out', () => {
    const failed: Finding = { ...aFinding('failed'), remedy: { id: 'disable-rotation' } };
    expect(shown(failed).buttons[0]).toBe('Approve -> approve');
  });

  it('shows the tags of the routes first, then whose key it is, six at most', () => {
    const tags = ['a', 'b', 'c', 'd', 'e', 'owner', 'zone'].map((key) => ({ key, value: 'x' }));
    const { defaultRoute } = aPolicy();
    const policy = aPolicy({ routes: [{ ...defaultRoute, name: 'zones', match: { tags: { zone: ['x'] } } }] });
    const { words } = shown({ ...aFinding('open'), facts: aKey({ tags }) }, { ...CONTEXT, policy });
    expect(words).toContain('Tags: zone=x, owner=x, a=x, b=x, c=x, d=x and 1 more');
  });
});

describe('text that somebody else chose', () => {
  const attack =
    '<!channel> *Approved* `x`\n> <@U0123456789> \u202egnp\u200b & <https://evil.example|ok> :white_check_mark: ';
  const long = attack.repeat(40);
  const worst: Finding = {
    ...aFinding('open'),
    facts: aKey({
      aliases: Array.from({ length: 50 }, () => attack.repeat(10).slice(0, 256)),
      description: long,
      tags: Array.from({ length: 50 }, (_, index) => ({
        key: `${index}${long}`.slice(0, 128),
        value: long.slice(0, 256),
      })),
      keySpec: long,
    }),
    trigger: aTrigger({ eventName: long, tool: long, sourceIp: long, actor: anActor({ name: long, invokedBy: long }) }),
    history: {
      switchedOnByBot: [{ at: later({}), approvedBy: { kind: 'policy', route: long } }],
      switchedOffAgain: [{ at: later({}), by: long, tool: long }],
    },
  };
  const person = aPersonRef({ name: long, userId: '<!channel>' });
  const refusal = { operation: long, deniedBy: 'unspecified' as const, principal: long };
  const cases: Finding[] = [
    worst,
    { ...worst, assessment: { verdict: 'unknown', reason: { because: 'access-denied', ...refusal } } },
    {
      ...aFinding('failed'),
      ...{ facts: worst.facts, trigger: worst.trigger, history: worst.history },
      failure: { because: 'policy-denies', ...refusal },
    },
    { ...aFinding('closed'), facts: worst.facts, closing: { because: 'compliant', by: long } },
    {
      ...aFinding('exempt'),
      facts: worst.facts,
      exemption: { ...aFinding('exempt').exemption, owner: person, grantedBy: person, reason: long, ticket: long },
    },
    { ...aFinding('remediated'), kmsRequestId: long },
  ];

  it.each(cases)('stays within every limit of Slack, case %#, $status', (finding) => {
    const message = renderFinding(finding, CONTEXT);
    expectSlackTakes(message);
    expect(message.text).not.toMatch(/<|\n|[\p{Cf}\p{Cc}]/u);
    const json = JSON.stringify(message.blocks);
    expect(json).not.toMatch(/mrkdwn|\u202e|\u200b/);
    expect(json).not.toContain('"user_id":"<');
  });
});

describe('the hint at the source of a remediated key', () => {
  it('is in the language of the tool that caused the finding', () => {
    const trigger = aTrigger({ tool: 'Pulumi' });
    expect(shown({ ...aFinding('remediated'), trigger }).words).toContain(
      'Pulumi, aws.kms.Key\nenableKeyRotation: true,',
    );
  });

  it('names the period when that was what was wrong', () => {
    const assessment: Problem = { verdict: 'period-too-long', periodInDays: 730, maximumPeriodInDays: 365 };
    expect(shown({ ...aFinding('remediated'), assessment }).words).toContain('rotation_period_in_days = 365');
  });
});
