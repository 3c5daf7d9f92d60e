import type { ModalView } from '@slack/types';
import { summarise } from '../../../functions/domain/digest.ts';
import type { Finding, Status } from '../../../functions/domain/finding.ts';
import { PAGE_SIZE, type ReviewPage, renderReview } from '../../../functions/messages/review-modal.ts';
import { modalInput } from '../../../sandbox/slack/view-schema.ts';
import { aFinding, aKey, anOpening, aPolicy, given, KEY, later } from '../../builders.ts';
import { wordsOf } from './slack-limits.ts';

const CONTEXT = { policy: aPolicy(), now: later({ hours: 2 }) };
const PAGE = { digest: `C0SECURITY#${later({})}`, after: '' };
const STATUSES: Status[] = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'];

function at(index: number, finding: Finding): Finding {
  return { ...finding, key: { ...finding.key, arn: `${KEY.arn.slice(0, -4)}${String(index).padStart(4, '0')}` } };
}

function shown(changes: Partial<ReviewPage> = {}) {
  const page = { page: PAGE, findings: [], next: null, summary: null, notice: null, ...changes };
  const view = renderReview(page, CONTEXT);
  view satisfies ModalView;
  modalInput.parse(view);
  return view;
}

describe('renderReview', () => {
  it('lists findings in every state, each with the buttons that its own message would have', () => {
    const view = shown({ findings: STATUSES.map((status, index) => at(index, aFinding(status))) });
    expect(wordsOf(view.blocks)).toMatchSnapshot();
  });

  it('says what came of the last click, and how the whole digest is', () => {
    const summary = { ...summarise([]), total: 3, byStatus: { ...summarise([]).byStatus, open: 2, failed: 1 } };
    const view = shown({ findings: [at(0, aFinding('open'))], summary, notice: 'Done.' });
    expect(wordsOf(view.blocks)).toMatch(
      /^Done\.\s+3 findings: 2 wait for a decision, 1 failed\. What waits comes first\./,
    );
  });

  it('turns pages', () => {
    const labels = (view: ReturnType<typeof shown>) =>
      view.blocks.flatMap((block) => (block.type === 'actions' ? block.elements.map(({ text }) => text.text) : []));
    expect(labels(shown({ next: 'place' }))).toEqual(['Refresh', 'Next page']);
    expect(labels(shown({ page: { ...PAGE, after: 'place' } }))).toEqual(['Refresh', 'Back to the first']);
  });

  it('is one that Slack takes with a full page of the worst', () => {
    const nasty = '<!channel>\u202e*_~`&'.repeat(300);
    const facts = aKey({ aliases: [nasty], description: nasty });
    const denied = {
      verdict: 'unknown',
      reason: { because: 'access-denied', operation: nasty, deniedBy: 'key-policy', principal: nasty },
    } as const;
    const findings = Array.from({ length: PAGE_SIZE }, (_, index) =>
      at(index, given([anOpening({ facts, assessment: denied })])),
    );
    const after = `000#${'9'.repeat(12)}#${KEY.arn}#1`;
    const view = shown({ page: { ...PAGE, after }, findings, next: after, notice: nasty });
    expect(view.private_metadata.length).toBeLessThan(3000);
  });
});
