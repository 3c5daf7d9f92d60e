import type { ModalView } from '@slack/types';
import * as z from 'zod/mini';
import { type ExemptionPurpose, exemptionModalMetadata } from '../../../functions/contracts/slack-actions.ts';
import type { FourEyesReason } from '../../../functions/domain/authority.ts';
import { checkTerms } from '../../../functions/domain/exemption.ts';
import {
  endOfDay,
  modalErrors,
  readExemptionValues,
  renderExemptionModal,
} from '../../../functions/messages/exemption-modal.ts';
import { modalInput } from '../../../sandbox/slack/view-schema.ts';
import { aFinding, aKey, aPolicy, DAY_ONE, KEY, later, someRules, someTerms } from '../../builders.ts';
import { wordsOf } from './slack-limits.ts';

const policy = aPolicy();
const ref = { key: KEY.arn, episode: 1 };
const purposes: ExemptionPurpose[] = ['exempt', 'renew-exemption', 'back-out', 'shorten-exemption'];
const findings = {
  exempt: aFinding('open'),
  'renew-exemption': aFinding('exempt'),
  'back-out': aFinding('remediated'),
  'shorten-exemption': aFinding('exempt'),
};

describe('renderExemptionModal', () => {
  it.each(purposes)('asks for the terms of %s', (purpose) => {
    const view = renderExemptionModal({
      finding: findings[purpose],
      purpose,
      policy,
      now: DAY_ONE,
      fourEyes: null,
      ref,
    });
    view satisfies ModalView;
    modalInput.parse(view);
    expect(exemptionModalMetadata.parse(JSON.parse(view.private_metadata))).toEqual({ finding: ref, purpose });
    expect(view).toMatchSnapshot();
  });

  it('says that it takes two people, and why', () => {
    const form = { finding: findings.exempt, purpose: 'exempt', policy, now: DAY_ONE, ref } as const;
    const shown = (because: FourEyesReason) =>
      wordsOf(renderExemptionModal({ ...form, fourEyes: { because, confirmWithinHours: 24 } }).blocks);
    expect(shown('route-asks')).toContain('The policy asks for two people here. Another approver has to confirm');
    expect(shown('cause-not-told')).toContain('Nobody can tell who caused this finding');
  });

  it('stays within the limits with the longest policy and a hostile key', () => {
    const exemptions = { ...someRules({ minimumReasonLength: 500, ticketRequired: true }), selfExemption: false };
    const finding = { ...aFinding('exempt'), facts: aKey({ aliases: ['<!channel>\u202e'.repeat(30)] }) };
    const terms = someTerms({ reason: 'x\n'.repeat(5000), ticket: 'y'.repeat(5000) });
    const exemption = { ...finding.exemption, ...terms, owner: { ...terms.owner, userId: 'nobody' } };
    const view = renderExemptionModal({
      ...{ finding: { ...finding, exemption }, purpose: 'renew-exemption', now: DAY_ONE, ref },
      fourEyes: { because: 'cause-not-told', confirmWithinHours: 24 },
      policy: aPolicy({ exemptions }),
    });
    modalInput.parse(view);
    expect(JSON.stringify(view)).not.toContain('nobody');
  });

  it('suggests for a renewal a day after the present end', () => {
    const finding = aFinding('exempt');
    const view = renderExemptionModal({
      ...{ finding, purpose: 'renew-exemption', policy, now: later({ days: 20 }), fourEyes: null, ref },
    });
    const days = view.blocks.flatMap((block) =>
      block.type === 'input' && block.element.type === 'datepicker' ? [block.element.initial_date] : [],
    );
    expect(finding.exemption.until).toBe('2026-04-01T09:00:00.000Z');
    expect(days).toEqual(['2026-05-01']);
  });

  it.each([1, 20, 30, 31, 365])('suggests a day that may be chosen when the maximum is %i days', (maximumDays) => {
    const rules = someRules({ maximumDays });
    const exemptions = { ...rules, selfExemption: false };
    for (const now of ['2026-03-02T00:00:00.000Z', DAY_ONE, '2026-03-02T23:59:59.999Z']) {
      const view = renderExemptionModal({
        finding: findings.exempt,
        purpose: 'exempt',
        policy: aPolicy({ exemptions }),
        now,
        fourEyes: null,
        ref,
      });
      const days = view.blocks.flatMap((block) =>
        block.type === 'input' && block.element.type === 'datepicker' ? [block.element.initial_date] : [],
      );
      expect(days.flatMap((day) => checkTerms(someTerms({ until: endOfDay(day) }), rules, now, null))).toEqual([]);
      expect(wordsOf(view.blocks)).toContain('payments/ledger');
    }
  });
});

describe('readExemptionValues', () => {
  it('reads the form that only asks for the end', () => {
    const values = { until: { until: { type: 'datepicker', selected_date: '2026-05-01' } } };
    expect(readExemptionValues(values)).toEqual({ ownerId: null, reason: '', ticket: null, until: '2026-05-01' });
  });

  const filled = {
    owner: { owner: { type: 'users_select', selected_user: 'U0123456789' } },
    reason: { reason: { type: 'plain_text_input', value: ' because of the vendor ' } },
    ticket: { ticket: { type: 'plain_text_input', value: null } },
    until: { until: { type: 'datepicker', selected_date: '2026-04-01' } },
  };

  it('reads a filled form', () => {
    expect(readExemptionValues(filled)).toEqual({
      ownerId: 'U0123456789',
      reason: 'because of the vendor',
      ticket: null,
      until: '2026-04-01',
    });
  });

  it('reads an empty form', () => {
    const empty = {
      owner: { owner: {} },
      reason: { reason: {} },
      ticket: { ticket: { value: ' ' } },
      until: { until: {} },
    };
    expect(readExemptionValues(empty)).toEqual({ ownerId: null, reason: '', ticket: null, until: null });
  });

  it('refuses what is not this form', () => {
    expect(() => readExemptionValues({})).toThrow(z.core.$ZodError);
    const notADay = { ...filled, until: { until: { selected_date: '2026-02-30' } } };
    expect(() => readExemptionValues(notADay)).toThrow(z.core.$ZodError);
  });
});

describe('endOfDay', () => {
  it('is the next midnight in UTC', () => {
    expect(endOfDay('2026-12-31')).toBe('2027-01-01T00:00:00.000Z');
  });
});

describe('modalErrors', () => {
  it('puts every problem under its field', () => {
    expect(
      modalErrors([
        { reason: 'owner-not-a-full-member' },
        { reason: 'reason-too-short', minimumLength: 10 },
        { reason: 'ticket-missing' },
        { reason: 'until-beyond-maximum', maximumDays: 90 },
      ]),
    ).toEqual({
      owner: 'Choose an active full member of this organisation, not a guest or a bot.',
      reason: 'Write at least 10 characters.',
      ticket: 'The policy asks for a ticket.',
      until: 'An exemption may last at most 90 days.',
    });
    expect(modalErrors([{ reason: 'until-not-in-future' }])).toEqual({ until: 'Choose a day in the future.' });
  });
});
