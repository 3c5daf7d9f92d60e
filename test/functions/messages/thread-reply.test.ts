import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import { renderReply } from '../../../functions/messages/thread-reply.ts';
import { aFinding, anOpening, aPersonRef, aPolicy, later } from '../../builders.ts';
import { EVENTS, record } from './events.ts';
import { expectSlackTakes, wordsOf } from './slack-limits.ts';

const at = later({ hours: 1 });
const { defaultRoute } = aPolicy();
const policy = aPolicy({
  defaultRoute: { ...defaultRoute, approvers: { users: ['U0123456789'], userGroups: ['S0123456789', '<!here>'] } },
});
const context = { policy, now: at, finding: aFinding('open') };

describe('renderReply', () => {
  it.each(Object.entries(EVENTS))('tells %s', (_, event) => {
    const reply = renderReply(record(event), context);
    if (reply !== null) expectSlackTakes(reply);
    expect(reply === null ? null : { ...reply, blocks: wordsOf(reply.blocks) }).toMatchSnapshot();
  });

  it('is silent where the message says it all', () => {
    const silent = Object.entries(EVENTS).filter(([, event]) => renderReply(record(event), context) === null);
    expect(silent.map(([type]) => type)).toEqual([
      'finding-opened',
      'finding-reassessed',
      'recheck-requested',
      'remediation-started',
      'command-refused',
    ]);
  });

  it('shows in the channel what somebody has to act on', () => {
    const loud = Object.entries(EVENTS).filter(([, event]) => renderReply(record(event), context)?.broadcast === true);
    expect(loud.map(([type]) => type)).toEqual(['remediation-failed', 'exemption-expired', 'escalated']);
  });

  it('does not ask again when nothing is wrong at the end of an exemption', () => {
    const event: FindingEvent = { type: 'exemption-expired', at, facts: null, assessment: { verdict: 'compliant' } };
    expect(renderReply(record(event), context)).toMatchObject({
      text: 'The exemption has ended. The key rotates as the policy asks.',
      broadcast: false,
    });
  });

  it('calls the approvers of the route, and nobody by an id that is none', () => {
    const reply = renderReply(record(EVENTS.reminded), context);
    expect(wordsOf(reply?.blocks)).toContain('@S0123456789');
    expect(wordsOf(reply?.blocks)).toContain('@U0123456789');
    expect(JSON.stringify(reply)).not.toContain('!here');
  });

  it('asks anew when a failed finding is seen in another light', () => {
    expect(renderReply(record(EVENTS['finding-reassessed'], 'failed'), context)?.text).toContain('Please decide.');
  });

  it('tells who undid the remediation when a drift loop opens', () => {
    const switchedOnByBot = [{ at, approvedBy: { kind: 'person' as const, person: aPersonRef() } }];
    const history = { switchedOnByBot, switchedOffAgain: [{ at, by: 'deploy/pipeline', tool: 'Terraform' }] };
    const reply = renderReply(record(anOpening(), 'remediated'), {
      ...context,
      finding: { ...context.finding, history },
    });
    expect(reply?.text).toContain('switched off again by deploy/pipeline with Terraform');
    expect(reply?.text).toContain('Key Owner had approved it');
  });
});
