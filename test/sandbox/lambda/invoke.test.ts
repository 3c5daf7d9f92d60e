import type { Context } from 'aws-lambda';
import { createInvoker, FunctionTimeout, type LambdaHandler } from '../../../sandbox/lambda/invoke.ts';

const settings = { name: 'detect-finding', timeoutMs: 10_000, memoryLimitInMB: 512, onError: () => undefined };
const invokerOf = (handler: LambdaHandler, more: object = {}) => createInvoker({ ...settings, handler, ...more });

it('hands over a copy of the event and answers a copy of the result, both as JSON', async () => {
  const event = { at: new Date(0), nothing: undefined, nested: { list: [1] } };
  const { invoke } = invokerOf((received) => Promise.resolve({ received, none: undefined }));
  const answer = await invoke(event);
  expect(answer).toEqual({ received: { at: '1970-01-01T00:00:00.000Z', nested: { list: [1] } } });
});

it('answers null when the handler answers nothing', async () => {
  expect(await invokerOf(() => Promise.resolve(undefined)).invoke({})).toBeNull();
});

it('gives the handler a context as Lambda does', async () => {
  const contexts: Context[] = [];
  const { invoke, functionArn } = invokerOf(
    (_event, context) => {
      contexts.push(context);
      return Promise.resolve(null);
    },
    { region: 'eu-central-1', accountId: '111122223333' },
  );
  await invoke({});
  await invoke({});
  const [first, second] = contexts;
  expect(functionArn).toBe('arn:aws:lambda:eu-central-1:111122223333:function:detect-finding');
  expect(first).toMatchObject({
    functionName: 'detect-finding',
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: '512',
    logGroupName: '/aws/lambda/detect-finding',
  });
  expect(first?.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(second?.awsRequestId).not.toBe(first?.awsRequestId);
  expect(first?.getRemainingTimeInMillis()).toBeGreaterThan(0);
  expect(first?.getRemainingTimeInMillis()).toBeLessThanOrEqual(10_000);
});

it('rejects with the error of the handler, and reports it', async () => {
  const failure = new Error('broken');
  const reported: unknown[] = [];
  const { invoke } = invokerOf(() => Promise.reject(failure), { onError: (error: unknown) => reported.push(error) });
  await expect(invoke({})).rejects.toBe(failure);
  expect(reported).toEqual([failure]);
});

it('ends an invocation that takes too long', async () => {
  const { invoke, running } = invokerOf(() => new Promise(() => undefined), { timeoutMs: 20 });
  const error: unknown = await invoke({}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FunctionTimeout);
  expect(String(error)).toMatch(/^Sandbox.Timedout: [0-9a-f-]{36} Task timed out after 0.02 seconds$/);
  expect(running()).toBe(0);
});

it('counts the invocations that are running', async () => {
  const gate = Promise.withResolvers<null>();
  const { invoke, running } = invokerOf(() => gate.promise);
  const both = [invoke({}), invoke({})];
  expect(running()).toBe(2);
  gate.resolve(null);
  await Promise.all(both);
  expect(running()).toBe(0);
});
