import type { AuthorityRefusal } from '../domain/authority.ts';
import type { Status } from '../domain/finding.ts';
import type { Refusal } from '../domain/refusal.ts';
import { utc } from './phrase.ts';
import { plain } from './plain.ts';

/**
 * The one sentence that tells a person, privately, why their click changed nothing. Fit for mrkdwn and for plain text
 * alike: the only name in it is stripped of what Slack would read as a link or a mention.
 */
export function refusalSentence(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'outside-organisation':
      return 'Only people of this organisation can decide here; nothing was changed.';
    case 'guest':
      return 'Guests cannot decide about keys; nothing was changed.';
    case 'bot':
      return 'Bots cannot decide about keys; nothing was changed.';
    case 'deactivated':
      return 'A deactivated account cannot decide about keys; nothing was changed.';
    case 'not-an-approver':
      return 'You are not an approver for this key, so nothing was changed. The rotation policy names the approvers.';
    case 'groups-unavailable':
      return 'Slack could not say just now whether you are an approver, so nothing was changed. Please try again.';
    case 'group-gone':
      return 'You are not an approver for this key: a user group that the rotation policy names does not exist any more, is disabled or has no members. Whoever keeps the policy has to name another. Nothing was changed.';
    case 'caused-the-finding':
      return 'You caused this finding, so somebody else has to decide that the key need not rotate; nothing was changed.';
    case 'reason-too-short':
      return `The reason needs at least ${refusal.minimumLength} characters; nothing was changed.`;
    case 'ticket-missing':
      return 'The policy asks for a ticket; nothing was changed.';
    case 'until-not-in-future':
      return 'The exemption has to end in the future; nothing was changed.';
    case 'until-beyond-maximum':
      return `An exemption may last at most ${refusal.maximumDays} days; nothing was changed.`;
    case 'until-beyond-total':
      return `${totalSentence(refusal)} Nothing was changed.`;
    case 'not-shorter':
      return `The exemption ends ${utc(refusal.until)} already, which is not later; nothing was changed.`;
    case 'end-accepted':
      return `${disarmed(refusal.by)} has let this exemption end already, so nobody is reminded any more; nothing was changed.`;
    case 'only-observed':
      return 'This key is only observed: the policy lets nobody decide about it here. Nothing was changed.';
    case 'owner-not-a-full-member':
      return 'The owner has to be an active full member of this organisation; nothing was changed.';
    case 'no-finding':
      return 'There is no finding for this key any more; nothing was changed.';
    case 'earlier-episode':
      return 'This message is about an earlier finding of the key; please use the newest message. Nothing was changed.';
    case 'already-decided':
      return `Already ${decided(refusal.status)}${attribution(refusal)}; nothing was changed.`;
    case 'nothing-to-approve':
      return 'There is nothing the bot could do to this key yet; the message says what its owner has to do. Nothing was changed.';
    case 'not-exempt':
      return `The key has no exemption at present (the finding is ${refusal.status}); nothing was changed.`;
    case 'not-remediated':
      return `There is nothing to back out (the finding is ${refusal.status}); nothing was changed.`;
    case 'not-switched-on-by-bot':
      return 'The bot did not switch on the rotation of this key, so it does not switch it off; nothing was changed.';
    case 'back-out-window-over':
      return `A remediation can be backed out for ${refusal.days} days, which are over; nothing was changed.`;
    case 'request-pending':
      return `${disarmed(refusal.by)} asked for a decision on ${utc(refusal.at)} that still waits for a second approver; confirm or withdraw it in the message. Nothing was changed.`;
    case 'no-request':
      return 'Nothing waits for a second person here any more; nothing was changed.';
    case 'request-lapsed':
      return 'The time to confirm this is over; whoever still wants it has to ask again. Nothing was changed.';
    case 'request-changed':
      return 'What you saw was replaced by another request; please read the message again. Nothing was changed.';
    case 'own-request':
      return 'You asked for this yourself, so another approver has to confirm it; nothing was changed.';
    case 'second-person-not-told':
      return 'Slack does not show the e-mail addresses of you and of who asked, so nobody can tell that you are two people. Ask an approver whose address Slack shows. Nothing was changed.';
    case 'requester-may-not':
      return `${disarmed(refusal.by)}, who asked for this, may not decide about this key any more; an approver has to ask again. Nothing was changed.`;
  }
}

/** Why a person is shown nothing. */
export function lookRefusalSentence(reason: AuthorityRefusal): string {
  return reason === 'deactivated' || reason === 'bot' || reason === 'guest' || reason === 'outside-organisation'
    ? 'Only full members of this organisation can see findings.'
    : 'Slack could not say just now who you are. Please try again.';
}

/** That renewals may not follow each other without end. */
export function totalSentence({ maximumTotalDays, latest }: { maximumTotalDays: number; latest: string }): string {
  return `All exemptions of this finding together may last ${maximumTotalDays} days, until ${utc(latest)}; after that the key has to rotate.`;
}

function decided(status: Status): string {
  switch (status) {
    case 'open':
      return 'put to the approvers';
    case 'approved':
      return 'approved';
    case 'remediated':
      return 'remediated, as approved';
    case 'failed':
      return 'tried, as approved';
    case 'exempt':
      return 'exempted';
    case 'closed':
      return 'closed';
  }
}

function disarmed(name: string): string {
  return plain(name, 80).replace(/[<>&`]/g, '');
}

function attribution({ by, at }: { by: string | null; at: string | null }): string {
  const who = by === null ? '' : ` by ${disarmed(by)}`;
  return at === null ? who : `${who} on ${utc(at)}`;
}
