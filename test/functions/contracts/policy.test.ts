import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { InvalidPolicy, type PolicyProblem, parsePolicy } from '../../../functions/contracts/policy.ts';

/** The smallest policy there can be. */
const SMALLEST = {
  version: 1,
  rotation: { periodInDays: 365, maximumPeriodInDays: 365 },
  organisation: { teamIds: ['T0123456789'] },
  defaultRoute: { channel: 'C0123456789', approvers: { users: ['U0123456789'] } },
  exemptions: { maximumDays: 90 },
};

const ROUTE = { name: 'payments', match: { regions: ['eu-central-1'] }, ...SMALLEST.defaultRoute };

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let left = depth; left > 0; left -= 1) value = [value];
  return value;
}

function problemsOf(document: unknown): PolicyProblem[] {
  try {
    parsePolicy(document);
  } catch (error) {
    if (error instanceof InvalidPolicy) return error.problems;
    throw error;
  }
  return [];
}

describe('a policy', () => {
  it('is valid as the example at the root has it', () => {
    const example: unknown = parse(readFileSync(new URL('../../../rotation-policy.yaml', import.meta.url), 'utf8'));
    expect(problemsOf(example)).toEqual([]);
  });

  it('has defaults for what is left out', () => {
    expect(parsePolicy(SMALLEST)).toEqual({
      ...SMALLEST,
      graceSeconds: { default: 30, byEventName: { CreateKey: 180 } },
      organisation: { teamIds: ['T0123456789'], enterpriseIds: [] },
      accounts: {},
      identities: [],
      routes: [],
      defaultRoute: {
        ...{ name: 'default', channel: 'C0123456789', mode: 'ask', fourEyes: false },
        ...{ workingHours: null, escalationChannel: null },
        approvers: { users: ['U0123456789'], userGroups: [] },
      },
      exemptions: {
        ...{ maximumDays: 90, maximumTotalDays: 730, reminderDays: [14, 7, 1], minimumReasonLength: 10 },
        ...{ ticketRequired: false, selfExemption: false, patterns: null },
      },
      unanswered: { remindAfterHours: [4, 24, 72], escalateAfterHours: 48, escalationChannel: null },
      backOut: { windowDays: 14 },
      fourEyes: { confirmWithinHours: 24 },
      identity: { cacheSeconds: 60 },
      digest: {
        threshold: 20,
        firstTags: { environment: ['prod', 'production'], exposure: ['internet', 'public'] },
      },
    });
  });

  it('may observe without anybody who decides', () => {
    const defaultRoute = { channel: 'C0123456789', approvers: {}, mode: 'observe' };
    expect(problemsOf({ ...SMALLEST, defaultRoute })).toEqual([]);
  });
});

describe('working hours', () => {
  const hours = { timeZone: 'Europe/Berlin', days: ['monday'], from: '08:00', to: '24:00' };
  const problemsWith = (changes: object) =>
    problemsOf({ ...SMALLEST, defaultRoute: { ...SMALLEST.defaultRoute, workingHours: { ...hours, ...changes } } }).map(
      ({ problem }) => problem,
    );

  it('are taken as they are', () => {
    expect(problemsWith({})).toEqual([]);
  });

  it.each([
    [{ timeZone: 'Europe/Atlantis' }, 'expected an IANA time zone such as Europe/Berlin'],
    [{ days: [] }, 'expected at least 1 entries, got []'],
    [{ from: '8:00' }, 'expected a time such as "08:30", got "8:00"'],
    [{ from: '18:00', to: '08:00' }, 'expected from to be before to'],
  ])('with %j are a mistake', (changes, problem) => {
    expect(problemsWith(changes)).toEqual([expect.stringContaining(problem)]);
  });

  it('and reminders after a year are a mistake', () => {
    const unanswered = { escalateAfterHours: 1e300 };
    expect(problemsOf({ ...SMALLEST, unanswered })).toMatchObject([{ path: 'unanswered.escalateAfterHours' }]);
  });
});

describe('a mistake', () => {
  const route = (changes: object) => ({ ...SMALLEST, routes: [{ ...ROUTE, ...changes }] });
  const nobody = 'expected at least one user or user group: somebody must be able to decide';

  const table: [mistake: string, document: unknown, path: string, problem: string][] = [
    ['no document', null, '(document)', 'expected object, got null'],
    ['another version', { ...SMALLEST, version: 2 }, 'version', 'expected 1, got 2'],
    [
      'an unknown key',
      { ...SMALLEST, rotatoin: {} },
      '(document)',
      'unknown "rotatoin"; see rotation-policy.yaml for the keys that exist',
    ],
    ['no default route', { ...SMALLEST, defaultRoute: undefined }, 'defaultRoute', 'expected object, got nothing'],
    [
      'a period KMS does not allow',
      { ...SMALLEST, rotation: { periodInDays: 30, maximumPeriodInDays: 365 } },
      'rotation.periodInDays',
      'expected at least 90, got 30',
    ],
    [
      'a maximum KMS does not allow',
      { ...SMALLEST, rotation: { periodInDays: 365, maximumPeriodInDays: 3000 } },
      'rotation.maximumPeriodInDays',
      'expected at most 2560, got 3000',
    ],
    [
      'half a day',
      { ...SMALLEST, exemptions: { maximumDays: 1.5, reminderDays: [] } },
      'exemptions.maximumDays',
      'expected a whole number, got 1.5',
    ],
    [
      'a period over the maximum',
      { ...SMALLEST, rotation: { periodInDays: 400, maximumPeriodInDays: 365 } },
      'rotation.periodInDays',
      'expected at most maximumPeriodInDays (365)',
    ],
    [
      'an account id as a number',
      route({ match: { accounts: [111122223333] } }),
      'routes[0].match.accounts[0]',
      'expected string, got 111122223333',
    ],
    [
      'an account id that is short',
      { ...SMALLEST, accounts: { '1111': { name: 'short' } } },
      'accounts.1111',
      'expected a 12-digit account id in quotes',
    ],
    [
      'a tag condition without tags',
      route({ match: { tags: {} } }),
      'routes[0].match.tags',
      'expected at least one tag',
    ],
    [
      'a tag condition that a record skips',
      route({ match: { tags: JSON.parse('{"__proto__":["x"]}') as unknown } }),
      'routes[0].match.tags',
      'expected at least one tag',
    ],
    ['a value deeper than any stack', { ...SMALLEST, version: nested(20_000) }, 'version', 'expected 1, got a list'],
    [
      "a channel's name",
      route({ channel: '#security' }),
      'routes[0].channel',
      'expected a Slack channel id such as C0123456789, not its name, got "#security"',
    ],
    [
      "a user's name",
      route({ approvers: { users: ['@owner'] } }),
      'routes[0].approvers.users[0]',
      'expected a Slack user id such as U0123456789, got "@owner"',
    ],
    [
      'a user as a group',
      route({ approvers: { userGroups: ['U0123456789'] } }),
      'routes[0].approvers.userGroups[0]',
      'expected a Slack user group id such as S0123456789, got "U0123456789"',
    ],
    [
      'no workspace',
      { ...SMALLEST, organisation: { teamIds: [] } },
      'organisation.teamIds',
      'expected at least 1 entries, got []',
    ],
    [
      'a workspace as an enterprise',
      { ...SMALLEST, organisation: { teamIds: ['T0123456789'], enterpriseIds: ['T0123456789'] } },
      'organisation.enterpriseIds[0]',
      'expected a Slack Enterprise organisation id such as E0123456789, got "T0123456789"',
    ],
    [
      'a mode that does not exist',
      route({ mode: 'manual' }),
      'routes[0].mode',
      'expected "ask" or "auto" or "observe", got "manual"',
    ],
    ['a route that matches all', route({ match: {} }), 'routes[0].match', 'expected at least one condition'],
    ['a route that asks nobody', route({ approvers: {} }), 'routes[0].approvers', nobody],
    [
      'a default route that asks nobody',
      { ...SMALLEST, defaultRoute: { channel: 'C1', approvers: {} } },
      'defaultRoute.approvers',
      nobody,
    ],
    [
      'two routes of one name',
      { ...SMALLEST, routes: [ROUTE, ROUTE] },
      'routes[1].name',
      '"payments" is used by another route',
    ],
    ['the name of the default', route({ name: 'default' }), 'routes[0].name', '"default" is used by another route'],
    [
      'a long name',
      route({ name: 'x'.repeat(81) }),
      'routes[0].name',
      `expected at most 80 characters, got "${'x'.repeat(59)}`,
    ],
    [
      'a reminder before the exemption begins',
      { ...SMALLEST, exemptions: { maximumDays: 14 } },
      'exemptions.reminderDays[0]',
      'expected fewer days than maximumDays (14)',
    ],
    [
      'reminders in falling order',
      { ...SMALLEST, unanswered: { remindAfterHours: [24, 4] } },
      'unanswered.remindAfterHours[1]',
      'expected hours in rising order',
    ],
    [
      'a grace of an event that is misspelt',
      { ...SMALLEST, graceSeconds: { default: 30, byEventName: { CreateKeys: 60 } } },
      'graceSeconds.byEventName.CreateKeys',
      'expected one of CreateKey, DisableKeyRotation,',
    ],
    [
      'a grace longer than a message can wait',
      { ...SMALLEST, graceSeconds: { default: 43_201 } },
      'graceSeconds.default',
      'expected at most 43200, got 43201',
    ],
  ];

  test.each(table)('%s is named: where, what, and what is allowed', (_, document, path, problem) => {
    expect(problemsOf(document)).toEqual([{ path, problem: expect.stringContaining(problem) as string }]);
  });

  it('does not hide another', () => {
    const { problems } = new InvalidPolicy(problemsOf({ ...SMALLEST, version: 2, exemptions: {} }));
    expect(problems.map(({ path }) => path)).toEqual(['version', 'exemptions.maximumDays']);
    expect(new InvalidPolicy(problems).message).toBe(
      [
        'the rotation policy is not valid:',
        '  version: expected 1, got 2',
        '  exemptions.maximumDays: expected number, got nothing',
      ].join('\n'),
    );
  });
});
