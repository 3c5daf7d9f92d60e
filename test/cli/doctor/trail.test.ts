import { judgeTrails, type Selectors, type Trail, whatIsNotLogged } from '../../../cli/doctor/trail.ts';

const containing = (text: string): unknown => expect.stringContaining(text);

const ALL: Selectors = { EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: true }] };
const PLACES = { regions: ['eu-central-1', 'us-east-1'], hasOrganization: false };

function aTrail(change: Partial<Trail> = {}): Trail {
  return {
    ...{ arn: 'arn:aws:cloudtrail:eu-central-1:111122223333:trail/main', name: 'main', homeRegion: 'eu-central-1' },
    ...{ isMultiRegion: true, isOrganization: false, isLogging: true, selectors: ALL },
    ...change,
  };
}

type Field = { Field: string; Equals?: string[]; NotEquals?: string[]; StartsWith?: string[] };
const advanced = (...fields: Field[]): Selectors => ({
  AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }, ...fields] }],
});

describe('whatIsNotLogged', () => {
  it.each<[string, Selectors]>([
    ['every management event', ALL],
    ['writing calls', { EventSelectors: [{ ReadWriteType: 'WriteOnly', IncludeManagementEvents: true }] }],
    [
      'without RDS',
      { EventSelectors: [{ IncludeManagementEvents: true, ExcludeManagementEventSources: ['rdsdata.amazonaws.com'] }] },
    ],
    ['advanced', advanced()],
    ['advanced, writing', advanced({ Field: 'readOnly', Equals: ['false'] })],
    ['advanced, without RDS', advanced({ Field: 'eventSource', NotEquals: ['rdsdata.amazonaws.com'] })],
    ['advanced, KMS alone', advanced({ Field: 'eventSource', Equals: ['kms.amazonaws.com'] })],
  ])('lets the events of KMS pass: %s', (_, selectors) => {
    expect(whatIsNotLogged(selectors)).toBeNull();
  });

  it.each<[string, Selectors, RegExp]>([
    ['none', {}, /no management events/],
    [
      'data events alone',
      { EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: false }] },
      /no management/,
    ],
    [
      'advanced, data alone',
      { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Data'] }] }] },
      /no management/,
    ],
    ['advanced, reading', advanced({ Field: 'readOnly', Equals: ['true'] }), /some events/],
    ['advanced, another service', advanced({ Field: 'eventSource', Equals: ['s3.amazonaws.com'] }), /events of KMS/],
    [
      'advanced, one event missing',
      advanced({ Field: 'eventName', NotEquals: ['DisableKeyRotation'] }),
      /DisableKeyRotation/,
    ],
    ['advanced, some people only', advanced({ Field: 'userIdentity.arn', StartsWith: ['arn:aws:iam'] }), /some events/],
  ])('says what is missing: %s', (_, selectors, lack) => {
    expect(whatIsNotLogged(selectors)).toMatch(lack);
  });
});

describe('judgeTrails', () => {
  it('takes one trail per Region for a trail of all Regions', () => {
    const trails = PLACES.regions.map((homeRegion) =>
      aTrail({ arn: homeRegion, name: homeRegion, homeRegion, isMultiRegion: false }),
    );
    expect(judgeTrails(trails, PLACES).outcome).toBe('ok');
    expect(judgeTrails(trails.slice(0, 1), PLACES)).toMatchObject({
      outcome: 'failed',
      seen: containing('us-east-1'),
    });
  });

  it('does not mind a broken trail beside one that works', () => {
    expect(judgeTrails([aTrail({ isLogging: false }), aTrail({ name: 'other' })], PLACES).outcome).toBe('ok');
  });

  it('does not call a trail broken that it may not look at', () => {
    const unseen = aTrail({ selectors: { refused: 'AccessDenied' } });
    expect(judgeTrails([unseen, aTrail({ isLogging: false })], PLACES).outcome).toBe('unchecked');
  });
});
