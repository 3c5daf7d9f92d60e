import {
  type CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
} from '@aws-sdk/client-cloudtrail';
import { KEY_EVENTS, KMS_EVENTS } from '../../functions/contracts/kms-event.ts';
import { awsSentence } from '../command-line.ts';
import { type Check, together, type Verdict } from './check.ts';

const KMS = 'kms.amazonaws.com';
/** The rest comes from KMS itself, without CloudTrail. */
const TRAIL_EVENTS = KEY_EVENTS.filter((name) => !KMS_EVENTS.some((other) => other === name));

export type Selectors = Pick<GetEventSelectorsCommandOutput, 'EventSelectors' | 'AdvancedEventSelectors'>;
type FieldSelector = NonNullable<
  NonNullable<NonNullable<Selectors['AdvancedEventSelectors']>[number]['FieldSelectors']>[number]
>;

/** A trail as CloudTrail describes it; a text instead of an answer says why there is none. */
export type Trail = {
  arn: string;
  name: string;
  homeRegion: string;
  isMultiRegion: boolean;
  isOrganization: boolean;
  isLogging: boolean | { refused: string };
  selectors: Selectors | { refused: string };
};

/** EventBridge gets the API calls of a place only while a trail logs them there (EventBridge User Guide, "AWS service events via CloudTrail"). */
export function trailCheck(
  clientFor: (region: string) => CloudTrailClient,
  { regions, hasOrganization }: { regions: readonly string[]; hasOrganization: boolean },
): Check {
  return {
    id: 'trail',
    title: 'CloudTrail logs what is done to keys, in every watched Region',
    look: async () => judgeTrails(await readTrails(clientFor, regions), { regions, hasOrganization }),
  };
}

/** Whether some trail brings the events of every watched Region. */
export function judgeTrails(
  trails: readonly Trail[],
  { regions, hasOrganization }: { regions: readonly string[]; hasOrganization: boolean },
): Verdict {
  if (trails.length === 0) {
    const scope = hasOrganization ? ' --is-organization-trail' : '';
    return {
      outcome: 'failed',
      seen: 'There is no trail: EventBridge never hears of a key.',
      todo: `aws cloudtrail create-trail --name key-changes --s3-bucket-name <bucket> --is-multi-region-trail${scope} && aws cloudtrail start-logging --name key-changes`,
    };
  }
  const judged = trails.map((trail) => ({ trail, verdict: judgeTrail(trail, hasOrganization) }));
  const reaches = (trail: Trail, region: string) => trail.isMultiRegion || trail.homeRegion === region;
  const missing = regions.filter(
    (region) => !judged.some(({ trail, verdict }) => verdict.outcome === 'ok' && reaches(trail, region)),
  );
  const good = judged.filter(({ verdict }) => verdict.outcome === 'ok').map(({ trail }) => trail);
  if (missing.length === 0) return { outcome: 'ok', seen: good.map(({ name }) => `${name} is logging.`).join('\n') };
  if (good.length > 0) {
    return {
      outcome: 'failed',
      seen: `No trail logs ${missing.join(', ')}: ${good.map(({ name, homeRegion }) => `${name} logs ${homeRegion} alone`).join(', ')}.`,
      todo: good
        .slice(0, 1)
        .map(
          ({ arn, homeRegion }) =>
            `aws cloudtrail update-trail --region ${homeRegion} --name ${arn} --is-multi-region-trail`,
        )
        .join('\n'),
    };
  }
  // One trail that nobody may look at could be the one that does it.
  const unseen = judged.filter(({ verdict }) => verdict.outcome === 'unchecked').map(({ verdict }) => verdict);
  return together(unseen.length > 0 ? unseen : judged.map(({ verdict }) => verdict), '');
}

function judgeTrail(trail: Trail, hasOrganization: boolean): Verdict {
  const { arn, name, homeRegion, isLogging, selectors } = trail;
  const at = `--region ${homeRegion}`;
  if (hasOrganization && !trail.isOrganization) {
    return {
      outcome: 'failed',
      seen: `${name} logs one account alone, not the organization.`,
      todo: `In the management account: aws cloudtrail update-trail ${at} --name ${arn} --is-organization-trail`,
    };
  }
  const refused = [isLogging, selectors].find((answer) => typeof answer === 'object' && 'refused' in answer);
  if (typeof refused === 'object' && 'refused' in refused) {
    return {
      outcome: 'unchecked',
      seen: `${name} cannot be looked at: ${refused.refused}`,
      todo: `Look at ${arn} in the account that owns it: aws cloudtrail get-trail-status / get-event-selectors.`,
    };
  }
  if (isLogging === false) {
    return {
      outcome: 'failed',
      seen: `${name} does not log.`,
      todo: `aws cloudtrail start-logging ${at} --name ${arn}`,
    };
  }
  const lack = whatIsNotLogged('refused' in selectors ? {} : selectors);
  if (lack === null) return { outcome: 'ok', seen: `${name} is logging.` };
  return {
    outcome: 'failed',
    seen: `${name} ${lack}`,
    todo: `aws cloudtrail put-event-selectors ${at} --trail-name ${arn} --advanced-event-selectors '[{"Name":"Management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]' (it replaces all selectors: add those that log data)`,
  };
}

/**
 * Why the selectors do not let every watched event pass, or null when they do. CloudTrail User Guide, "Logging
 * management events"; API Reference, EventSelector and AdvancedFieldSelector.
 */
export function whatIsNotLogged({
  EventSelectors: classic = [],
  AdvancedEventSelectors: advanced = [],
}: Selectors): string | null {
  if (advanced.length > 0) {
    const selectors = advanced.map(({ FieldSelectors: fields = [] }) => fields);
    const management = selectors.filter((fields) =>
      fields.some((field) => field.Field === 'eventCategory' && passes(field, 'Management')),
    );
    if (management.length === 0) return 'logs no management events.';
    if (!management.some((fields) => holds(fields, 'eventSource', KMS)))
      return 'leaves out events of KMS (advanced event selector).';
    const missed = TRAIL_EVENTS.filter((eventName) => !management.some((fields) => letsPass(fields, eventName)));
    return missed.length === 0
      ? null
      : `leaves out some events (advanced event selector): ${missed.slice(0, 3).join(', ')}${missed.length > 3 ? ', …' : ''}.`;
  }
  const management = classic.filter(({ IncludeManagementEvents: included }) => included !== false);
  if (management.length === 0) return 'logs no management events.';
  const writing = management.filter(({ ReadWriteType: type = 'All' }) => type !== 'ReadOnly');
  if (writing.length === 0) return 'logs reading calls only.';
  const withKms = writing.filter(({ ExcludeManagementEventSources: excluded = [] }) => !excluded.includes(KMS));
  return withKms.length === 0 ? 'leaves out events of KMS (ExcludeManagementEventSources).' : null;
}

/** A selector lets an event pass when all its fields do; one that this file does not know might stop some. */
function letsPass(fields: readonly FieldSelector[], eventName: string): boolean {
  const event: Record<string, string> = { eventCategory: 'Management', eventSource: KMS, readOnly: 'false', eventName };
  return fields.every((field) => {
    const value = event[field.Field ?? ''];
    return value !== undefined && passes(field, value);
  });
}

function holds(fields: readonly FieldSelector[], name: string, value: string): boolean {
  return fields.every((field) => field.Field !== name || passes(field, value));
}

function passes(field: FieldSelector, value: string): boolean {
  const { Equals, StartsWith, EndsWith, NotEquals = [], NotStartsWith = [], NotEndsWith = [] } = field;
  const wanted = [
    ...(Equals ?? []).map((text) => value === text),
    ...(StartsWith ?? []).map((text) => value.startsWith(text)),
    ...(EndsWith ?? []).map((text) => value.endsWith(text)),
  ];
  const unwanted =
    NotEquals.includes(value) ||
    NotStartsWith.some((text) => value.startsWith(text)) ||
    NotEndsWith.some((text) => value.endsWith(text));
  return !unwanted && (wanted.length === 0 || wanted.includes(true));
}

async function readTrails(
  clientFor: (region: string) => CloudTrailClient,
  regions: readonly string[],
): Promise<Trail[]> {
  const described = await Promise.all(
    regions.map((region) => clientFor(region).send(new DescribeTrailsCommand({ includeShadowTrails: true }))),
  );
  const byArn = new Map(
    described.flatMap(({ trailList = [] }) => trailList).map((trail) => [trail.TrailARN ?? '', trail] as const),
  );
  return Promise.all(
    [...byArn].map(async ([arn, { Name = arn, HomeRegion = '', IsMultiRegionTrail, IsOrganizationTrail }]) => {
      // Both answer in the home Region, and to the ARN alone when the organization's management account owns the trail.
      const client = clientFor(HomeRegion);
      const [isLogging, selectors] = await Promise.all([
        orRefused(async () => (await client.send(new GetTrailStatusCommand({ Name: arn }))).IsLogging === true),
        orRefused(() => client.send(new GetEventSelectorsCommand({ TrailName: arn }))),
      ]);
      return {
        ...{ arn, name: Name, homeRegion: HomeRegion, isLogging, selectors },
        ...{ isMultiRegion: IsMultiRegionTrail === true, isOrganization: IsOrganizationTrail === true },
      };
    }),
  );
}

async function orRefused<T>(ask: () => Promise<T>): Promise<T | { refused: string }> {
  try {
    return await ask();
  } catch (error) {
    return { refused: error instanceof Error ? awsSentence(error) : String(error) };
  }
}
