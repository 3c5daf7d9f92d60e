import type { ExemptionPurpose } from '../../../functions/contracts/slack-actions.ts';
import type { FourEyes } from '../../../functions/domain/commands.ts';
import type { Finding } from '../../../functions/domain/finding.ts';
import { modalErrors, renderExemptionModal } from '../../../functions/messages/exemption-modal.ts';
import { refusalSentence } from '../../../functions/messages/refusal-sentence.ts';
import { renderSentence } from '../../../functions/messages/sentence-modal.ts';
import { given, later } from '../../builders.ts';
import { approves, exempts, fixes, opens, POLICY, VIEWER } from '../cast.ts';
import type { Picture, Section } from '../picture.ts';

const NOW = later({ minutes: 30 });

function form(
  finding: Finding,
  purpose: ExemptionPurpose,
  { fourEyes = null }: { fourEyes?: FourEyes | null } = {},
): Extract<Picture['shows'], { place: 'modal' }> {
  const ref = { key: finding.key.arn, episode: finding.episode };
  return { place: 'modal', view: renderExemptionModal({ finding, purpose, policy: POLICY, now: NOW, fourEyes, ref }) };
}

const open = given([opens()]);
const exempt = given([opens(), exempts()]);
const remediated = given([opens(), approves(), ...fixes()]);

const forExemptions: Section = {
  title: 'Forms',
  words: 'A button that ends in "…" opens a form. Only its submission changes anything.',
  pictures: [
    {
      name: 'form-exempt',
      title: 'Exempt…',
      words: 'An approver names an owner, a reason and an end. The end is filled in, and the latest day is said.',
      shows: form(open, 'exempt'),
    },
    {
      name: 'form-exempt-errors',
      title: 'What is wrong is said under its field',
      words: 'The form stays open and nothing is lost.',
      shows: {
        ...form(open, 'exempt'),
        errors: modalErrors([
          { reason: 'owner-not-a-full-member' },
          { reason: 'until-beyond-maximum', maximumDays: POLICY.exemptions.maximumDays },
        ]),
      },
    },
    {
      name: 'form-exempt-two',
      title: 'Exempt… where it takes two',
      words: 'The form says so before anybody writes anything.',
      shows: form(open, 'exempt', { fourEyes: { because: 'cause-not-told', confirmWithinHours: 24 } }),
    },
    {
      name: 'form-renew',
      title: 'Renew…',
      words: 'Filled with the present terms.',
      shows: form(exempt, 'renew-exemption'),
    },
    {
      name: 'form-shorten',
      title: 'Shorten…',
      words: 'Asks for the new end alone.',
      shows: form(exempt, 'shorten-exemption'),
    },
    {
      name: 'form-back-out',
      title: 'Back out…',
      words:
        'Says what is called, and that the key is exempt afterwards: switching rotation off needs a reason and an end like any exemption.',
      shows: form(remediated, 'back-out'),
    },
    {
      name: 'form-too-late',
      title: 'Too late',
      words: 'Somebody else was faster while the form was open. Nothing was changed.',
      shows: {
        place: 'modal',
        view: renderSentence(
          'Nothing was changed',
          refusalSentence({
            reason: 'already-decided',
            status: 'approved',
            by: 'Second approver',
            at: later({ minutes: 20 }),
          }),
        ),
      },
    },
  ],
};

const refusals: Section = {
  title: 'A refusal',
  words:
    'Whoever may not decide, or comes too late, is told so privately; nobody else sees it, and the audit trail keeps it.',
  pictures: [
    {
      name: 'refused',
      title: 'Not an approver',
      words: 'Only the person who clicked sees it, below the message.',
      shows: { place: 'private', to: VIEWER, message: { text: refusalSentence({ reason: 'not-an-approver' }) } },
    },
  ],
};

export const forms: readonly Section[] = [forExemptions, refusals];
