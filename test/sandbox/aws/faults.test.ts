import { createFaults } from '../../../sandbox/aws/faults.ts';

const fault = { service: 'kms', operation: 'EnableKeyRotation', error: 'ThrottlingException', times: 2 };

describe('a fault', () => {
  it('is used up by the calls that it was planted for', () => {
    const faults = createFaults();
    faults.set(fault);
    const taken = [
      faults.take('kms', 'DescribeKey'),
      faults.take('sts', 'EnableKeyRotation'),
      faults.take('kms', 'EnableKeyRotation'),
      faults.take('kms', 'EnableKeyRotation'),
      faults.take('kms', 'EnableKeyRotation'),
    ];
    const error = { error: 'ThrottlingException' };
    expect(taken).toEqual([undefined, undefined, error, error, undefined]);
  });

  it('for one operation goes before one for all of them', () => {
    const faults = createFaults();
    faults.set({ ...fault, operation: '*', error: 'timeout', times: 1 });
    faults.set({ ...fault, times: 1 });
    const take = () => faults.take('kms', 'EnableKeyRotation')?.error;
    expect([take(), take(), take()]).toEqual(['ThrottlingException', 'timeout', undefined]);
  });

  it('replaces an earlier one of the same operation and is removed by 0 times', () => {
    const faults = createFaults();
    faults.set(fault);
    faults.set({ ...fault, error: 'timeout' });
    const replaced = faults.list();
    faults.set({ ...fault, error: 'any', times: 0 });
    expect([replaced, faults.list()]).toEqual([[{ ...fault, error: 'timeout' }], []]);
  });

  it('of Slack has one of Slack’s own errors', () => {
    const faults = createFaults();
    faults.set({ service: 'slack', operation: 'chat.postMessage', error: 'ratelimited', times: 1 });
    expect(faults.take('slack', 'chat.postMessage')).toEqual({ error: 'ratelimited' });
  });

  it.each([
    [
      { ...fault, service: 's3' },
      'there is no service "s3"; known: kms, sts, dynamodb, sqs, secretsmanager, sns, cloudtrail, ',
    ],
    [{ ...fault, service: 'toString' }, 'there is no service "toString"'],
    [{ ...fault, operation: 'EnableRotation' }, 'kms has no operation "EnableRotation"; known: *, CancelKeyDeletion'],
    [{ ...fault, error: 'Throttling' }, 'kms has no error "Throttling"; known: timeout, ThrottlingException'],
    [{ ...fault, error: 'toString' }, 'kms has no error "toString"'],
    [{ ...fault, times: 1.5 }, 'times is a whole number from 0 up, not 1.5'],
    [{ ...fault, service: 'slack', error: 'Rate Limited' }, '"Rate Limited" is not a Slack error'],
  ])('with a wrong word is refused: %j', (wrong, message) => {
    const faults = createFaults();
    expect(() => {
      faults.set(wrong);
    }).toThrow(message);
    expect(faults.list()).toEqual([]);
  });
});
