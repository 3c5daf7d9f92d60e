import type { Refusal } from '../../../functions/domain/refusal.ts';
import { refusalSentence } from '../../../functions/messages/refusal-sentence.ts';
import { DAY_ONE } from '../../builders.ts';

const REFUSALS: { [R in Refusal['reason']]: ({ reason: R } & Extract<Refusal, { reason: R }>) | Refusal } = {
  'outside-organisation': { reason: 'outside-organisation' },
  guest: { reason: 'guest' },
  bot: { reason: 'bot' },
  deactivated: { reason: 'deactivated' },
  'not-an-approver': { reason: 'not-an-approver' },
  'group-gone': { reason: 'group-gone' },
  'groups-unavailable': { reason: 'groups-unavailable' },
  'caused-the-finding': { reason: 'caused-the-finding' },
  'reason-too-short': { reason: 'reason-too-short', minimumLength: 10 },
  'ticket-missing': { reason: 'ticket-missing' },
  'until-not-in-future': { reason: 'until-not-in-future' },
  'until-beyond-maximum': { reason: 'until-beyond-maximum', maximumDays: 90 },
  'until-beyond-total': { reason: 'until-beyond-total', maximumTotalDays: 730, latest: DAY_ONE },
  'not-shorter': { reason: 'not-shorter', until: DAY_ONE },
  'end-accepted': { reason: 'end-accepted', by: 'Key Owner' },
  'only-observed': { reason: 'only-observed' },
  'owner-not-a-full-member': { reason: 'owner-not-a-full-member' },
  'no-finding': { reason: 'no-finding' },
  'earlier-episode': { reason: 'earlier-episode' },
  'already-decided': { reason: 'already-decided', status: 'approved', by: 'Key Owner', at: DAY_ONE },
  'nothing-to-approve': { reason: 'nothing-to-approve' },
  'not-exempt': { reason: 'not-exempt', status: 'open' },
  'not-remediated': { reason: 'not-remediated', status: 'open' },
  'not-switched-on-by-bot': { reason: 'not-switched-on-by-bot' },
  'back-out-window-over': { reason: 'back-out-window-over', days: 14 },
  'request-pending': { reason: 'request-pending', by: 'First Approver', at: DAY_ONE },
  'no-request': { reason: 'no-request' },
  'request-lapsed': { reason: 'request-lapsed' },
  'request-changed': { reason: 'request-changed' },
  'own-request': { reason: 'own-request' },
  'second-person-not-told': { reason: 'second-person-not-told' },
  'requester-may-not': { reason: 'requester-may-not', by: 'First Approver' },
};

describe('refusalSentence', () => {
  it('has a sentence of its own for every refusal', () => {
    const sentences = Object.values(REFUSALS).map(refusalSentence);
    expect(new Set(sentences).size).toBe(sentences.length);
    expect(sentences).toMatchSnapshot();
  });

  it('says who decided and when', () => {
    expect(refusalSentence(REFUSALS['already-decided'])).toBe(
      'Already approved by Key Owner on 2026-03-02 09:00 UTC; nothing was changed.',
    );
    expect(refusalSentence({ reason: 'already-decided', status: 'closed', by: null, at: null })).toBe(
      'Already closed; nothing was changed.',
    );
  });

  it('disarms the name in it', () => {
    const refusal: Refusal = { reason: 'already-decided', status: 'exempt', by: '<!channel>\n', at: null };
    expect(refusalSentence(refusal)).toBe('Already exempted by !channel; nothing was changed.');
  });
});
