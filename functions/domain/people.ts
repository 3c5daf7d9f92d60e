/** A Slack person as the audit trail names them. */
export type PersonRef = { userId: string; teamId: string; name: string; email: string | null };

/** What Slack says of whoever clicked: `users.info` and the payload's own team, never the app's installed team. */
export type SlackPerson = PersonRef & {
  enterpriseId: string | null;
  isBot: boolean;
  /** Multi-channel or single-channel guest. */
  isGuest: boolean;
  /** Seen through a shared channel only. */
  isStranger: boolean;
  isDeactivated: boolean;
};

/** A person as the trail names them, of all that Slack says. */
export function refOf({ userId, teamId, name, email }: SlackPerson): PersonRef {
  return { userId, teamId, name, email };
}

/** Who caused a CloudTrail event. CloudTrail User Guide, "CloudTrail userIdentity element". */
export type AwsActor = {
  /** userIdentity.type, or `AWSService` for events of the service itself. */
  type: string;
  /** The best name for a person to read: user name, role/session, service. */
  name: string;
  arn: string | null;
  accountId: string | null;
  /** The session name if it looks like an e-mail address, else null. */
  email: string | null;
  /** The AWS service that made the call on the identity's behalf. */
  invokedBy: string | null;
};

/** What made the bot look at the key. */
export type Trigger =
  | {
      kind: 'cloudtrail';
      eventId: string;
      eventName: string;
      at: string;
      actor: AwsActor;
      /** `Terraform`, `AWS CLI`, `AWS Management Console`, …; the raw user agent when it is none of the known. */
      tool: string;
      sourceIp: string | null;
    }
  | { kind: 'kms-event'; eventId: string; eventName: string; at: string }
  | { kind: 'exemption-end'; at: string }
  | { kind: 'recheck'; at: string; by: PersonRef }
  /** The bot looked once more after it had written what it saw. */
  | { kind: 'second-look'; at: string }
  /** The bot went through all keys of the account and Region. */
  | { kind: 'sweep'; at: string };

/** Who may answer for a decision: a person, or a rule of the policy in `auto` mode. */
export type Decider = { kind: 'person'; person: PersonRef } | { kind: 'policy'; route: string };
