import { jest } from '@jest/globals';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { createMetrics } from '../../../functions/adapters/metrics.ts';

const emf = z.object({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string() })),
      }),
    ),
  }),
});
const context = z.custom<Context>().parse({ functionName: 'bot-announce-finding' });

/** What is written to the log meanwhile, as CloudWatch would read it. */
async function linesOf(act: () => Promise<unknown>): Promise<unknown[]> {
  const lines: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(String(chunk));
    return true;
  });
  await act().catch(() => undefined);
  write.mockRestore();
  return lines.map((line): unknown => JSON.parse(line));
}

const make = () => createMetrics('announce-finding', { AWS_LAMBDA_FUNCTION_NAME: 'bot-announce-finding' });

it('writes what was put in the form that CloudWatch reads', async () => {
  const metrics = make();
  const handler = middy(() => {
    metrics.put([{ name: 'TimeToDecision', value: 1200 }]);
    return Promise.resolve();
  }).use(metrics.middleware);
  const [line] = await linesOf(() => handler({}, context));
  expect(emf.parse(line)._aws.CloudWatchMetrics).toEqual([
    { Namespace: 'KmsRotationBot', Dimensions: [['service']], Metrics: [{ Name: 'TimeToDecision', Unit: 'Seconds' }] },
  ]);
  expect(line).toMatchObject({ service: 'bot-announce-finding', TimeToDecision: 1200 });
});

it('gives what has dimensions a line of its own', async () => {
  const metrics = make();
  const dimensions = { problem: 'rotation-off', severity: 'MEDIUM' };
  const [line] = await linesOf(() => {
    metrics.put([{ name: 'FindingsOpened', value: 1, dimensions }]);
    return Promise.resolve();
  });
  expect(emf.parse(line)._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['service', 'problem', 'severity']]);
  expect(line).toMatchObject({ service: 'bot-announce-finding', FindingsOpened: 1, ...dimensions });
});

it('writes what was put because the handler failed', async () => {
  const metrics = make();
  const handler = middy(() => Promise.reject(new Error('Slack limits the rate')))
    .use(metrics.middleware)
    .onError(() => {
      metrics.put([{ name: 'SlackRateLimited', value: 1 }]);
    });
  expect(await linesOf(() => handler({}, context))).toMatchObject([{ SlackRateLimited: 1 }]);
});

it('writes nothing when there is nothing', async () => {
  const metrics = make();
  expect(await linesOf(() => middy(() => Promise.resolve()).use(metrics.middleware)({}, context))).toEqual([]);
});
