import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Circumstances } from './run-schedule.ts';

/** A mistake that somebody could make in the product: pieces of one file, and what stands there instead. */
type PlantedFault = {
  /** What is wrong then, in words. */
  mistake: string;
  file: string;
  edits: readonly { replace: string; by: string }[];
  /** Circumstances in which it shows more often than in those that seeds draw; all schedules are played in them. */
  under?: Partial<Circumstances>;
  /** The simulation has to find it in the seeds from 1 to this: some three times as many as it took. */
  foundWithin: number;
};

/**
 * Mistakes that the simulation has to find, or it proves nothing. They exist only in a process that was started with
 * `--plant`: the file is changed while it is loaded.
 */
export const PLANTED_FAULTS = {
  'save-then-send': {
    mistake: 'a message is recorded as posted before it is posted',
    file: 'functions/announce-finding/post-once.ts',
    edits: [
      {
        replace: 'const { channel, postId } = claim;',
        by: "const { channel, postId } = claim; await settle(slot, { channel, ts: '1.000001', renderedVersion: version }, deps);",
      },
    ],
    foundWithin: 20,
  },
  'no-version-condition': {
    mistake: 'the finding is written although it has moved since it was loaded',
    file: 'functions/adapters/table-writes.ts',
    edits: [
      {
        replace:
          "expression: '#sequence = :sequence AND #hash = :hash',\n      names: { '#sequence': 'sequence', '#hash': 'hash' },\n      values: { ':sequence': before.sequence, ':hash': before.hash },",
        by: "expression: 'attribute_exists(pk)',",
      },
      {
        // The numbered events would stop it all the same.
        replace: "return { item, condition: { expression: 'attribute_not_exists(pk)' } };",
        by: "return { item, condition: { expression: String(item['sk']).startsWith('EVENT#') ? 'attribute_exists(pk) OR attribute_not_exists(pk)' : 'attribute_not_exists(pk)' } };",
      },
    ],
    foundWithin: 50,
  },
  'ttl-is-the-expiry': {
    mistake: 'an exemption holds until DynamoDB deletes it',
    file: 'functions/domain/exemption.ts',
    edits: [
      { replace: 'return Date.parse(now) < Date.parse(exemption.until);', by: 'return now !== exemption.grantedAt;' },
    ],
    foundWithin: 50,
  },
  'read-error-is-off': {
    mistake: 'a key that cannot be read counts as not rotating',
    file: 'functions/adapters/kms.ts',
    edits: [
      {
        replace:
          "return { seen: 'refusal', facts, reason: { because: 'access-denied', operation, deniedBy, principal } };",
        by: "return facts === null ? refused(facts, { because: 'access-denied', operation, deniedBy, principal }) : { seen: 'key', facts, reading: { kind: 'automatic', enabled: false } };",
      },
    ],
    under: { keys: 6, keyActs: 60 },
    foundWithin: 60,
  },
  'post-without-claim': {
    mistake: 'a message is posted without a look at what was posted before',
    file: 'functions/announce-finding/post-once.ts',
    edits: [
      {
        replace: "if (stored?.state === 'claimed') {",
        by: "if (stored?.state === 'claimed') { return await post(await takeOver(stored, slot, deps), request, deps); }\n  if (stored?.state === 'claimed') {",
      },
    ],
    foundWithin: 50,
  },
  'no-lease': {
    mistake: 'two runs may look for a message and post it side by side',
    file: 'functions/announce-finding/post-once.ts',
    edits: [{ replace: 'if (leaseUntil !== null && leaseUntil > now())', by: 'if (leaseUntil === now())' }],
    under: { misfortunes: 60, likelihood: 100, keys: 3, keyActs: 8 },
    foundWithin: 150,
  },
  'one-pair-of-eyes': {
    mistake: 'who asked for an exemption that takes two people may confirm it',
    file: 'functions/domain/decide.ts',
    edits: [
      {
        replace: 'notSecondPerson(by, request.by) ??',
        by: 'null ??',
      },
    ],
    under: { keys: 3, peopleActs: 60 },
    foundWithin: 50,
  },
  'pattern-by-one': {
    mistake: 'who asked for an exemption of a pattern may confirm it',
    file: 'functions/domain/pattern-exemption.ts',
    edits: [
      {
        replace: 'notSecondPerson(by, request.by) ??',
        by: 'null ??',
      },
    ],
    under: { patterns: true, keys: 6, peopleActs: 60 },
    foundWithin: 50,
  },
  'reminds-at-night': {
    mistake: 'reminders do not wait for the working hours',
    file: 'functions/domain/policy.ts',
    edits: [{ replace: 'workingHours === null ?', by: 'workingHours !== undefined ?' }],
    foundWithin: 20,
  },
  'success-without-read-back': {
    mistake: 'a remediation counts as done when KMS has accepted the call',
    file: 'functions/remediate-key/remediate-key.ts',
    edits: [{ replace: 'const AGREEING_READS = 3;', by: 'const AGREEING_READS = 1;' }],
    foundWithin: 20,
  },
  'change-before-record': {
    mistake: 'the key is changed before the start is in the trail',
    file: 'functions/remediate-key/remediate-key.ts',
    edits: [
      {
        replace: "    if (!(await start())) return 'skipped';\n    const applied = await remedy.apply(key);",
        by: "    const applied = await remedy.apply(key);\n    if (!(await start())) return 'skipped';",
      },
    ],
    foundWithin: 20,
  },
  'spent-approval': {
    mistake: 'a run acts on an approval that the watchdog may take back meanwhile',
    file: 'functions/remediate-key/remediate-key.ts',
    edits: [
      {
        replace: "if (isAboutToBeGivenUp(finding, deps.now().toISOString())) return 'skipped';",
        by: 'isAboutToBeGivenUp(finding, deps.now().toISOString());',
      },
    ],
    under: { misfortunes: 60, likelihood: 10, keys: 3, mode: 'auto', isStorm: false, leaps: 0 },
    foundWithin: 300,
  },
  'no-second-look': {
    mistake: 'what was seen before a finding was written is never looked at again',
    file: 'functions/contracts/stream-consumers.ts',
    edits: [
      {
        replace: "'detect-finding': ['recheck-requested', 'exemption-revoked', ...WORTH_A_SECOND_LOOK],",
        by: "'detect-finding': ['recheck-requested', 'exemption-revoked'],",
      },
    ],
    under: { keys: 3, keyActs: 16, staleReadsMs: 60_000 },
    foundWithin: 150,
  },
  'anybody-approves': {
    mistake: 'everybody of the organisation counts as an approver',
    file: 'functions/domain/authority.ts',
    edits: [
      {
        replace: "if (approvers.userGroups.length === 0) return refused('not-an-approver');",
        by: 'return { allowed: true };',
      },
    ],
    foundWithin: 20,
  },
  'endless-exemption': {
    mistake: 'the longest time of the policy is not checked',
    file: 'functions/domain/exemption.ts',
    edits: [
      {
        replace: 'else if (Date.parse(terms.until) > Date.parse(now) + rules.maximumDays * DAY) {',
        by: "else if (terms.reason === '') {",
      },
      {
        replace: 'else if (Date.parse(terms.until) > Date.parse(latestEnd(rules, now, since))) {',
        by: "else if (terms.reason === '') {",
      },
    ],
    foundWithin: 350,
  },
  'approves-the-unseen': {
    mistake: '"Approve all" means findings that came after what the person saw',
    file: 'functions/domain/digest.ts',
    edits: [
      {
        replace: 'return member.isApprovable && member.joinedAt <= upTo;',
        by: "return member.isApprovable && upTo !== '';",
      },
    ],
    foundWithin: 250,
  },
  'stale-digest': {
    mistake: 'nobody renders a digest once more when the storm is over',
    file: 'functions/sweep-keys/keep-digests.ts',
    edits: [{ replace: 'const stale = await deps.digests.stale(PAGE);', by: 'const stale: string[] = [];' }],
    foundWithin: 50,
  },
  'abandoned-batch': {
    mistake: 'nobody goes on with a batch whose run died',
    file: 'functions/sweep-keys/keep-digests.ts',
    edits: [{ replace: 'const batches = await deps.digests.openBatches(PAGE);', by: 'const batches: Batch[] = [];' }],
    foundWithin: 150,
  },
  'approves-the-decided': {
    mistake: 'a batch decides about a key that somebody has decided about meanwhile',
    file: 'functions/sweep-keys/approve-batch.ts',
    edits: [
      {
        replace: 'if (finding?.episode !== episode || !isApprovable(finding)) return null;',
        by: 'if (finding?.episode !== episode) return null;',
      },
    ],
    under: { isStorm: true, firstLook: 'at the digest', keys: 8, digestThreshold: 1, peopleActs: 32 },
    foundWithin: 100,
  },
  'one-verdict-for-all': {
    mistake: 'who may approve one key of a digest may approve all of them',
    file: 'functions/sweep-keys/approve-batch.ts',
    edits: [
      {
        replace: "verdict: verdictOn(finding, { action: 'approve', person, groups, policy }),",
        by: 'verdict: { allowed: true },',
      },
    ],
    foundWithin: 100,
  },
} as const satisfies Record<string, PlantedFault>;

export type PlantedFaultName = keyof typeof PLANTED_FAULTS;

export function isPlantedFault(name: string): name is PlantedFaultName {
  return Object.hasOwn(PLANTED_FAULTS, name);
}

/**
 * Plants a mistake in what this thread loads from now on; answers the circumstances to look for it in.
 * @throws Error while the file is loaded when it no longer contains what was to be replaced
 */
export function plantFault(name: PlantedFaultName): Partial<Circumstances> {
  const { file, edits, under = {} }: PlantedFault = PLANTED_FAULTS[name];
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith('file:') || fileURLToPath(new URL(url)) !== path) return loaded;
      const source = edits.reduce((text, { replace, by }) => {
        if (!text.includes(replace)) throw new Error(`the fault ${name} does not fit ${file} any more`);
        return text.replace(replace, by);
      }, sourceText(loaded.source));
      return { ...loaded, source };
    },
  });
  return under;
}

function sourceText(source: string | ArrayBuffer | NodeJS.TypedArray | undefined): string {
  if (typeof source === 'string') return source;
  return source === undefined ? '' : new TextDecoder().decode(source);
}
