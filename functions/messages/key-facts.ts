import { COMPLIANCE_CONTROLS, PERIOD_CONTROLS } from '../contracts/compliance.ts';
import { type Finding, severityOf } from '../domain/finding.ts';
import type { KeyFacts, KeyIdentity, Tag } from '../domain/key.ts';
import type { Trigger } from '../domain/people.ts';
import type { Policy } from '../domain/policy.ts';
import type { RichTextSection } from './block.ts';
import { type Phrase, richText } from './phrase.ts';
import { plain } from './plain.ts';
import { accountLabel } from './remedy-call.ts';

/** What people call the key: its first alias, else its key id. One line of at most 100 characters. */
export function keyName(key: KeyIdentity, facts: KeyFacts | null): string {
  return nameOfKey(key, facts?.aliases[0] ?? null);
}

/** The same when only the first alias is at hand. */
export function nameOfKey(key: KeyIdentity, firstAlias: string | null): string {
  const alias = firstAlias === null ? '' : plain(firstAlias, 94);
  return alias === '' ? plain(key.keyId, 100) : `alias/${alias}`;
}

/** The facts of a finding that people decide by, one line each: where, what for, whose, and through whom. */
export function decisiveFactLines(finding: Finding, policy: Policy): RichTextSection[] {
  const { key, facts } = finding;
  return [
    line('Account and Region', `${accountLabel(key, policy)}, ${plain(key.region, 40)}`),
    ...(facts === null ? [] : purposeLines(facts, policy)),
    line('Caused by', ...triggerSentence(finding.trigger)),
    line('Severity', severityOf(finding)),
  ];
}

/** What else there is to know of the key: for who looks closer, or has to prove something. */
export function detailLines(finding: Finding): RichTextSection[] {
  const { key, facts } = finding;
  return [
    ...otherAliases(facts),
    line('ARN', plain(key.arn, 300)),
    line('Usage', facts === null ? 'not read' : usageText(facts)),
    line('Compliance', complianceText(finding)),
  ];
}

/** Who caused it, with what, from where and when. */
function triggerSentence(trigger: Trigger): Phrase[] {
  return [...causeWords(trigger), trigger.kind === 'cloudtrail' ? ', ' : ' ', { time: trigger.at }];
}

/** Who caused it, with what and from where; without the time. */
export function causeWords(trigger: Trigger): Phrase[] {
  switch (trigger.kind) {
    case 'cloudtrail': {
      const { actor, eventName, tool, sourceIp } = trigger;
      const from = sourceIp === null ? '' : ` from ${plain(sourceIp, 60)}`;
      const through = actor.invokedBy === null ? '' : ` through ${plain(actor.invokedBy, 80)}`;
      return [
        `${plain(eventName, 60)} by ${plain(actor.name, 160) || 'unknown identity'}${through} with ${plain(tool, 80) || 'unknown tool'}${from}`,
      ];
    }
    case 'kms-event':
      return [`KMS event "${plain(trigger.eventName, 60)}"`];
    case 'exemption-end':
      return ['the end of an exemption'];
    case 'recheck':
      return ['a re-check that ', { person: trigger.by }, ' asked for'];
    case 'second-look':
      return ['a second look at the key'];
    case 'sweep':
      return ['somebody unknown; found by the sweep of all keys'];
  }
}

/** The heading has the first. */
function otherAliases(facts: KeyFacts | null): RichTextSection[] {
  const [, ...others] = facts?.aliases ?? [];
  if (others.length === 0) return [];
  const more = others.length - SHOWN_ALIASES;
  const shown = others.slice(0, SHOWN_ALIASES).map((alias) => `alias/${plain(alias, 94)}`);
  return [line('Other aliases', shown.join(', '), more > 0 ? ` and ${more} more` : '')];
}

function usageText({ keyUsage, keySpec, origin, keyState, multiRegionKeyType }: KeyFacts): string {
  const kind = [keyUsage, keySpec, `origin ${origin}`, `state ${keyState}`].map((word) => plain(word, 60)).join(', ');
  return multiRegionKeyType === null ? kind : `${kind}, multi-Region ${multiRegionKeyType.toLowerCase()}`;
}

function purposeLines(facts: KeyFacts, policy: Policy): RichTextSection[] {
  const description = plain(facts.description, 200);
  const tags = tagsThatMatter(facts.tags, policy);
  const more = facts.tags.length - tags.length;
  return [
    ...(description === '' ? [] : [line('Description', description)]),
    ...(tags.length === 0
      ? []
      : [line('Tags', tags.map(tagText).join(', '), ...(more === 0 ? [] : [` and ${more} more`]))]),
  ];
}

const SHOWN_ALIASES = 3;
const SHOWN_TAGS = 6;
const TELLING_TAG =
  /^(owner|team|squad|contact|cost-?cent(er|re)|env(ironment)?|stage|service|app(lication)?|project|data-?class(ification)?)$/i;

/** Tags that decide about the route come first, then those that tell whose key it is and what for. */
function tagsThatMatter(tags: readonly Tag[], policy: Policy): Tag[] {
  const routing = new Set(policy.routes.flatMap(({ match }) => Object.keys(match.tags ?? {})));
  const rank = ({ key }: Tag) => (routing.has(key) ? 0 : TELLING_TAG.test(key) ? 1 : 2);
  return [...tags].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN_TAGS);
}

function tagText({ key, value }: Tag): string {
  return `${plain(key, 40)}=${plain(value, 60)}`;
}

/** `CIS AWS Foundations 4.6 (v7.0.0, v6.0.0), 3.6 (v5.0.0) · …`: each framework once, each control with its versions. */
function complianceText({ assessment }: Finding): string {
  const controls = assessment.verdict === 'period-too-long' ? PERIOD_CONTROLS : COMPLIANCE_CONTROLS;
  const byFramework = Map.groupBy(controls, ({ framework }) => framework);
  return [...byFramework].map(([framework, entries]) => `${framework} ${controlsText(entries)}`).join(' · ');
}

function controlsText(entries: readonly { control: string; version: string }[]): string {
  return [...Map.groupBy(entries, ({ control }) => control)]
    .map(([control, sameControl]) => {
      const versions = sameControl.map(({ version }) => version).filter((version) => version !== 'current');
      return versions.length === 0 ? control : `${control} (${versions.join(', ')})`;
    })
    .join(', ');
}

function line(label: string, ...value: Phrase[]): RichTextSection {
  return richText({ bold: `${label}: ` }, ...value);
}
