import {
  announceFindingEnv,
  decideFindingEnv,
  detectFindingEnv,
  InvalidEnvironment,
  parseEnv,
  remediateKeyEnv,
  sweepKeysEnv,
} from '../../../functions/contracts/env.ts';

const SCHEMAS = { detectFindingEnv, decideFindingEnv, remediateKeyEnv, announceFindingEnv, sweepKeysEnv };

const cases = Object.entries(SCHEMAS).map(([name, schema]) => ({
  name,
  schema,
  required: Object.entries<{ safeParse: (value: unknown) => { success: boolean } }>(schema.shape)
    .filter(([, field]) => !field.safeParse(undefined).success)
    .map(([variable]) => variable),
}));

describe('parseEnv', () => {
  test.each(cases)('names every variable that $name misses, at once', ({ schema, required }) => {
    expect(required).toContain('TABLE_NAME');
    const attempt = () => parseEnv(schema, {});
    expect(attempt).toThrow(InvalidEnvironment);
    for (const variable of required) expect(attempt).toThrow(`${variable}: `);
  });

  it('reads what is there and fills in defaults', () => {
    const env = { TABLE_NAME: 'findings', READ_ROLE_NAME: 'read', EXTERNAL_ID: 'id', REMEDIATE_ROLE_NAME: 'remediate' };
    expect(parseEnv(remediateKeyEnv, { ...env, PATH: '/bin' })).toMatchObject({ ...env, LOG_LEVEL: 'INFO' });
  });

  it.each([
    ['TABLE_NAME', ''],
    ['LOG_LEVEL', 'LOUD'],
    ['CHANGES_QUEUE_URL', 'not an address'],
  ])('does not take %s=%j', (variable, value) => {
    const env = {
      ...{ TABLE_NAME: 'findings', READ_ROLE_NAME: 'read', EXTERNAL_ID: 'id' },
      ...{ CREATIONS_QUEUE_URL: 'http://sqs.example/creations', CHANGES_QUEUE_URL: 'http://sqs.example/changes' },
    };
    expect(() => parseEnv(detectFindingEnv, { ...env, [variable]: value })).toThrow(`${variable}: `);
  });
});
