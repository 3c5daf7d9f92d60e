import fc from 'fast-check';
import { assertPattern, createEventBus, matches } from '../../../sandbox/aws/event-bridge.ts';

describe("AWS's table of comparison operators, row by row", () => {
  type Row = { pattern: object; yes: object[]; no: object[] };
  const rows: Record<string, Row> = {
    And: {
      pattern: { Location: ['New York'], Day: ['Monday'] },
      yes: [{ Location: 'New York', Day: 'Monday', more: 1 }],
      no: [{ Location: 'New York', Day: 'Tuesday' }, { Location: 'New York' }, {}],
    },
    'Anything-but': {
      pattern: { state: [{ 'anything-but': 'initializing' }] },
      yes: [{ state: 'running' }, { state: 'Initializing' }, { state: 1 }, { state: null }],
      no: [{ state: 'initializing' }, {}],
    },
    'Anything-but (begins with)': {
      pattern: { Region: [{ 'anything-but': { prefix: 'us-' } }] },
      yes: [{ Region: 'eu-central-1' }],
      no: [{ Region: 'us-east-1' }, {}],
    },
    'Anything-but (ends with)': {
      pattern: { FileName: [{ 'anything-but': { suffix: '.png' } }] },
      yes: [{ FileName: 'a.jpg' }],
      no: [{ FileName: 'a.png' }],
    },
    'Anything-but (ignore case)': {
      pattern: { state: [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }] },
      yes: [{ state: 'running' }],
      no: [{ state: 'INITIALIZING' }, { state: 'initializing' }],
    },
    'Anything-but using a wildcard': {
      pattern: { FilePath: [{ 'anything-but': { wildcard: '*/lib/*' } }] },
      yes: [{ FilePath: '/usr/bin/x' }],
      no: [{ FilePath: '/usr/lib/x' }],
    },
    'Begins with': {
      pattern: { Region: [{ prefix: 'us-' }] },
      yes: [{ Region: 'us-east-1' }, { Region: 'us-' }],
      no: [{ Region: 'eu-us-1' }, { Region: 5 }],
    },
    'Begins with (ignore case)': {
      pattern: { service: [{ prefix: { 'equals-ignore-case': 'eventb' } }] },
      yes: [{ service: 'EventBridge' }],
      no: [{ service: 'AmazonEventBridge' }],
    },
    Empty: { pattern: { LastName: [''] }, yes: [{ LastName: '' }], no: [{ LastName: ' ' }, { LastName: null }, {}] },
    Equals: { pattern: { Name: ['Alice'] }, yes: [{ Name: 'Alice' }], no: [{ Name: 'alice' }, { Name: 'Alice ' }] },
    'Equals (ignore case)': {
      pattern: { Name: [{ 'equals-ignore-case': 'alice' }] },
      yes: [{ Name: 'Alice' }, { Name: 'ALICE' }],
      no: [{ Name: 'Alicia' }],
    },
    'Ends with': {
      pattern: { FileName: [{ suffix: '.png' }] },
      yes: [{ FileName: 'a.png' }],
      no: [{ FileName: 'a.png.txt' }, { FileName: 'a.PNG' }],
    },
    'Ends with (ignore case)': {
      pattern: { service: [{ suffix: { 'equals-ignore-case': 'tBridge' } }] },
      yes: [{ service: 'EventBridge' }, { service: 'EVENTBRIDGE' }],
      no: [{ service: 'EventBridges' }],
    },
    Exists: {
      pattern: { ProductName: [{ exists: true }] },
      yes: [{ ProductName: 'x' }, { ProductName: null }, { ProductName: '' }, { ProductName: [1] }],
      no: [{}, { ProductName: { nested: 1 } }, { ProductName: [] }],
    },
    'Does not exist': {
      pattern: { ProductName: [{ exists: false }] },
      yes: [{}, { Other: 1 }, { ProductName: { nested: 1 } }],
      no: [{ ProductName: 'x' }, { ProductName: null }],
    },
    Not: {
      pattern: { Weather: [{ 'anything-but': ['Raining'] }] },
      yes: [{ Weather: 'Sunny' }],
      no: [{ Weather: 'Raining' }],
    },
    Null: { pattern: { UserID: [null] }, yes: [{ UserID: null }], no: [{ UserID: '' }, { UserID: 'null' }, {}] },
    'Numeric (equals)': {
      pattern: { Price: [{ numeric: ['=', 100] }] },
      yes: [{ Price: 100 }],
      no: [{ Price: '100' }, { Price: 101 }],
    },
    'Numeric (range)': {
      pattern: { Price: [{ numeric: ['>', 10, '<=', 20] }] },
      yes: [{ Price: 10.5 }, { Price: 20 }],
      no: [{ Price: 10 }, { Price: 20.1 }],
    },
    Or: {
      pattern: { PaymentType: ['Credit', 'Debit'] },
      yes: [{ PaymentType: 'Credit' }, { PaymentType: 'Debit' }],
      no: [{ PaymentType: 'Cash' }],
    },
    'Or (multiple fields)': {
      pattern: { $or: [{ Location: ['New York'] }, { Day: ['Monday'] }] },
      yes: [{ Location: 'New York' }, { Day: 'Monday' }, { Location: 'Paris', Day: 'Monday' }],
      no: [{ Location: 'Paris', Day: 'Friday' }, {}],
    },
    Wildcard: {
      pattern: { FileName: [{ wildcard: 'dir/*.png' }] },
      yes: [{ FileName: 'dir/a.png' }, { FileName: 'dir/sub/a.png' }, { FileName: 'dir/.png' }],
      no: [{ FileName: 'other/a.png' }, { FileName: 'dir/a.jpg' }, { FileName: 'dir.png' }],
    },
  };

  it.each(Object.entries(rows))('%s', (_name, { pattern, yes, no }) => {
    for (const event of yes) expect({ event, matches: matches(pattern, event) }).toEqual({ event, matches: true });
    for (const event of no) expect({ event, matches: matches(pattern, event) }).toEqual({ event, matches: false });
  });
});

describe('what the user guide says beyond the table', () => {
  it.each([
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['10.0.0.7/24', '10.0.0.1', true],
    ['10.0.0.0/24', 'AWS Internal', false],
    ['10.0.0.0/24', '::ffff:10.0.0.1', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['0.0.0.0/0', '203.0.113.7', true],
  ])('cidr %s and %s: %s', (cidr, address, expected) => {
    expect(matches({ ip: [{ cidr }] }, { ip: address })).toBe(expected);
  });

  it.each([
    [['=', 1], 1, true],
    [['<', 1], 1, false],
    [['<=', 1], 1, true],
    [['>', 1], 1, false],
    [['>=', 1], 1, true],
    [['>=', 1, '<', 2], 2, false],
    [['>', 5e9], 123456789012, true],
    [['=', 2 ** 53], 2 ** 53, true],
    [['>', 0], 2 ** 54, false],
  ])('numeric %j and %d: %s', (numeric, value, expected) => {
    expect(matches({ n: [{ numeric }] }, { n: value })).toBe(expected);
  });

  it('compares true, false and numbers exactly', () => {
    const pattern = { readOnly: [false], count: [300] };
    expect(matches(pattern, { readOnly: false, count: 300 })).toBe(true);
    expect(matches(pattern, { readOnly: 'false', count: 300 })).toBe(false);
    expect(matches(pattern, { readOnly: false, count: '300' })).toBe(false);
  });

  it('takes lists in anything-but, of numbers and of each operator', () => {
    expect(matches({ n: [{ 'anything-but': [100, 200] }] }, { n: 200 })).toBe(false);
    expect(matches({ n: [{ 'anything-but': [100, 200] }] }, { n: 300 })).toBe(true);
    expect(matches({ s: [{ 'anything-but': { prefix: ['a', 'b'] } }] }, { s: 'bcd' })).toBe(false);
    expect(matches({ s: [{ 'anything-but': { suffix: ['a', 'b'] } }] }, { s: 'xyz' })).toBe(true);
    expect(matches({ s: [{ 'anything-but': { 'equals-ignore-case': ['A', 'B'] } }] }, { s: 'b' })).toBe(false);
    expect(matches({ s: [{ 'anything-but': { wildcard: ['*a*', '*b*'] } }] }, { s: 'xbx' })).toBe(false);
  });

  it('matches escaped characters of a wildcard literally', () => {
    expect(matches({ s: [{ wildcard: 'a\\*b' }] }, { s: 'a*b' })).toBe(true);
    expect(matches({ s: [{ wildcard: 'a\\*b' }] }, { s: 'axb' })).toBe(false);
    expect(matches({ s: [{ wildcard: 'a\\\\*' }] }, { s: 'a\\b' })).toBe(true);
    expect(matches({ s: [{ wildcard: 'ab*ba' }] }, { s: 'aba' })).toBe(false);
  });

  it('matches an array in the event when one of its values does', () => {
    const pattern = { resources: [{ prefix: 'arn:aws:kms' }] };
    expect(matches(pattern, { resources: ['arn:aws:s3:::x', 'arn:aws:kms:eu-central-1:1:key/2'] })).toBe(true);
    expect(matches(pattern, { resources: [] })).toBe(false);
    expect(matches({ r: [{ 'anything-but': 'a' }] }, { r: ['a', 'b'] })).toBe(true);
    expect(matches({ r: [{ exists: false }] }, { r: [] })).toBe(true);
  });

  it('wants fields of an array of objects in the same element', () => {
    const event = {
      employees: [
        { firstName: 'John', lastName: 'Doe' },
        { firstName: 'Anna', lastName: 'Smith' },
      ],
    };
    expect(matches({ employees: { firstName: ['Anna'] } }, event)).toBe(true);
    expect(matches({ employees: { firstName: ['Anna'], lastName: ['Smith'] } }, event)).toBe(true);
    expect(matches({ employees: { firstName: ['Anna'], lastName: ['Doe'] } }, event)).toBe(false);
    expect(matches({ employees: { firstName: [{ exists: false }] } }, event)).toBe(false);
  });

  it('nests $or, alone and beside fields', () => {
    const pattern = {
      source: ['aws.cloudwatch'],
      $or: [
        { metricName: ['CPUUtilization'] },
        { metricType: ['MetricType'], $or: [{ metricId: [1234] }, { spaceId: [1000] }] },
      ],
    };
    expect(matches(pattern, { source: 'aws.cloudwatch', metricName: 'CPUUtilization' })).toBe(true);
    expect(matches(pattern, { source: 'aws.cloudwatch', metricType: 'MetricType', spaceId: 1000 })).toBe(true);
    expect(matches(pattern, { source: 'aws.cloudwatch', metricType: 'MetricType' })).toBe(false);
    expect(matches(pattern, { source: 'aws.ec2', metricName: 'CPUUtilization' })).toBe(false);
  });

  it('matches the CloudTrail event of a KMS key as a rule would write it', () => {
    const pattern = {
      source: ['aws.kms'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['kms.amazonaws.com'],
        eventName: ['CreateKey', 'DisableKeyRotation'],
        errorCode: [{ exists: false }],
      },
    };
    const event = (detail: object) => ({
      source: 'aws.kms',
      'detail-type': 'AWS API Call via CloudTrail',
      detail: { eventSource: 'kms.amazonaws.com', ...detail },
    });
    expect(matches(pattern, event({ eventName: 'CreateKey' }))).toBe(true);
    expect(matches(pattern, event({ eventName: 'CreateKey', errorCode: 'AccessDenied' }))).toBe(false);
    expect(matches(pattern, event({ eventName: 'Decrypt' }))).toBe(false);
  });
});

describe('patterns that EventBridge refuses', () => {
  it.each<[unknown, string]>([
    ['text', 'event pattern: must be an object'],
    [{}, 'event pattern: empty objects are not allowed'],
    [{ detail: {} }, 'detail: empty objects are not allowed'],
    [{ detail: { state: [] } }, 'detail.state: empty arrays are not allowed'],
    [{ detail: { state: 'running' } }, 'detail.state: must be an object or an array'],
    [{ a: [{ like: 'x' }] }, 'a[0]: unrecognized match type "like"'],
    [{ a: ['x', { prefix: 'x', suffix: 'y' }] }, 'a[1]: a match expression has exactly one key'],
    [{ a: [['x']] }, 'a[0]: must be a string, a number, true, false, null or a match expression'],
    [{ a: [{ prefix: 5 }] }, 'a[0].prefix: must be a string, a number, true, false, null or a match expression'],
    [{ a: [{ prefix: { suffix: 'x' } }] }, 'a[0].prefix: unsupported prefix pattern "suffix"'],
    [{ a: [{ exists: 'yes' }] }, 'a[0].exists: must be true or false'],
    [{ a: [{ numeric: ['~', 1] }] }, 'a[0].numeric: unrecognized numeric operator "~"'],
    [{ a: [{ numeric: ['>', '1'] }] }, 'a[0].numeric: the value of > must be a number'],
    [{ a: [{ numeric: ['>', 2 ** 54] }] }, 'a[0].numeric: 18014398509481984 is not between -(2^53) and 2^53'],
    [{ a: [{ numeric: ['>', 2, '<', 1] }] }, 'a[0].numeric: the bottom of a range must be below its top'],
    [{ a: [{ numeric: ['>', 1, '>', 2] }] }, 'a[0].numeric: the second operator of a range must be "<" or "<="'],
    [{ a: [{ wildcard: 'a**b' }] }, 'a[0].wildcard: consecutive wildcards, position 1'],
    [{ a: [{ wildcard: '\\d' }] }, 'a[0].wildcard: a backslash may only stand before * or \\, position 0'],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, 'a[0].cidr: "10.0.0.0/33" is not a CIDR block'],
    [{ a: [{ cidr: '10.0.0.1/32' }] }, 'a[0].cidr: "10.0.0.1/32" is not a CIDR block'],
    [{ a: [{ 'anything-but': [1, 'x'] }] }, 'a[0].anything-but: must be strings only or numbers only'],
    [{ a: [{ 'anything-but': { prefix: '' } }] }, 'a[0].anything-but.prefix: must not be empty'],
    [{ a: [{ 'anything-but': { numeric: ['=', 1] } }] }, 'a[0].anything-but.numeric: must be a string'],
    [{ a: [{ 'anything-but': { cidr: 'x' } }] }, 'a[0].anything-but: unsupported anything-but pattern "cidr"'],
    [{ detail: { $or: [{ a: [1] }] } }, 'detail.$or: must have at least two objects'],
    [{ $or: [{ a: [1] }, { prefix: ['x'] }] }, 'prefix: is a match type and cannot be a field inside $or'],
    [{ a: [1], $or: [{ a: [2] }, { b: [1] }] }, 'a: may occur only once'],
  ])('%j', (pattern, message) => {
    expect(() => {
      assertPattern(pattern);
    }).toThrow(message);
  });
});

describe('for any event', () => {
  const scalar = fc.oneof(fc.string(), fc.integer({ min: -1000, max: 1000 }), fc.boolean(), fc.constant(null));
  const name = fc.constantFrom('a', 'b', 'c');

  it('a pattern made of the event itself matches it', () => {
    const event = fc.dictionary(name, fc.oneof(scalar, fc.dictionary(name, scalar, { minKeys: 1 })), { minKeys: 1 });
    const toPattern = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, member]: [string, unknown]) => [key, toPattern(member)]))
        : [value];
    fc.assert(
      fc.property(event, (one) => {
        expect(matches(toPattern(one), one)).toBe(true);
      }),
    );
  });

  it('anything-but is the opposite of the operator, where there is one value', () => {
    const operator = fc.constantFrom('prefix', 'suffix', 'equals-ignore-case', 'wildcard');
    const operand = fc.stringMatching(/^[abAB]{1,3}$/);
    const value = fc.stringMatching(/^[abAB]{0,5}$/);
    fc.assert(
      fc.property(operator, operand, value, (kind, wanted, actual) => {
        const match = { [kind]: wanted };
        expect(matches({ f: [{ 'anything-but': match }] }, { f: actual })).toBe(
          !matches({ f: [match] }, { f: actual }),
        );
      }),
    );
  });

  it('a wildcard pattern matches what a regular expression matches', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab]?(\*?[ab]{1,2}){0,3}\*?$/),
        fc.stringMatching(/^[ab]{0,8}$/),
        (pattern, text) => {
          const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
          expect(matches({ f: [{ wildcard: pattern }] }, { f: text })).toBe(expected);
        },
      ),
    );
  });

  it('exists true and exists false never agree', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, present) => {
        const event = present ? { f: value } : { other: value };
        expect(matches({ f: [{ exists: true }] }, event)).toBe(!matches({ f: [{ exists: false }] }, event));
      }),
    );
  });

  it('$or matches when one of its alternatives does', () => {
    const field = fc.record({ name, value: scalar });
    fc.assert(
      fc.property(field, field, fc.dictionary(name, scalar), (left, right, event) => {
        const one = { [left.name]: [left.value] };
        const other = { [right.name]: [right.value] };
        expect(matches({ $or: [one, other] }, event)).toBe(matches(one, event) || matches(other, event));
      }),
    );
  });
});

describe('an event bus', () => {
  const untilIdle = async (bus: { pending: () => number }) => {
    while (bus.pending() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };

  it('gives each matching rule its own copy of the event', async () => {
    const seen: unknown[] = [];
    const target = (event: unknown) => {
      seen.push(event);
    };
    const bus = createEventBus({
      rules: [
        { name: 'kms', pattern: { source: ['aws.kms'] }, target },
        { name: 'all', pattern: { source: [{ exists: true }] }, target },
        { name: 's3', pattern: { source: ['aws.s3'] }, target },
      ],
    });
    expect(bus.put({ source: 'aws.kms' })).toEqual(['kms', 'all']);
    expect(bus.pending()).toBe(2);
    expect(seen).toEqual([]);
    await untilIdle(bus);
    expect(seen).toEqual([{ source: 'aws.kms' }, { source: 'aws.kms' }]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  it('tries a failing target again and disturbs no other', async () => {
    const attempts = { shaky: 0, sound: 0 };
    const bus = createEventBus({
      retryDelayMs: 1,
      rules: [
        {
          name: 'shaky',
          pattern: { n: [1] },
          target: () => {
            attempts.shaky += 1;
            if (attempts.shaky < 3) throw new Error('not yet');
          },
        },
        {
          name: 'sound',
          pattern: { n: [1] },
          target: async () => {
            attempts.sound += 1;
            await Promise.resolve();
          },
        },
      ],
    });
    bus.put({ n: 1 });
    await untilIdle(bus);
    expect(attempts).toEqual({ shaky: 3, sound: 1 });
  });

  it('drops what waits for a retry when it is stopped', async () => {
    const bus = createEventBus({
      retryDelayMs: 60_000,
      rules: [{ name: 'broken', pattern: { n: [1] }, target: () => Promise.reject(new Error('never')) }],
    });
    bus.put({ n: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(bus.pending()).toBe(1);
    await bus.stop();
    expect(bus.pending()).toBe(0);
  });

  it('refuses a rule whose pattern EventBridge would refuse', () => {
    const rules = [{ name: 'wrong', pattern: { source: 'aws.kms' }, target: () => undefined }];
    expect(() => createEventBus({ rules })).toThrow('source: must be an object or an array');
  });
});
