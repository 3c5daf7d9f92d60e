import { parseKeyArn } from '../../../functions/domain/key.ts';
import { KEY } from '../../builders.ts';

describe('parseKeyArn', () => {
  it('takes an ARN apart', () => {
    expect(parseKeyArn(KEY.arn)).toEqual(KEY);
  });

  it.each([
    ['aws-cn', 'arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab'],
    ['aws-us-gov', 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'],
  ])('knows the partition %s', (partition, arn) => {
    expect(parseKeyArn(arn)?.partition).toBe(partition);
  });

  it.each([
    '',
    KEY.keyId,
    'alias/payments',
    'arn:aws:kms:eu-central-1:111122223333:alias/payments',
    'arn:aws:kms:eu-central-1:1111:key/abcd',
    `${KEY.arn}/x`,
    ` ${KEY.arn}`,
    'arn:aws:s3:::bucket',
  ])('knows that "%s" is none', (text) => {
    expect(parseKeyArn(text)).toBeNull();
  });
});
