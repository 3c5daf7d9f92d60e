import type { Context } from 'aws-lambda';

/** The context object that Lambda hands to a function. */
export function lambdaContext({
  functionName,
  functionArn,
  memoryLimitInMB,
  awsRequestId,
  remainingMs,
}: {
  functionName: string;
  functionArn: string;
  memoryLimitInMB: number;
  awsRequestId: string;
  remainingMs: () => number;
}): Context {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryLimitInMB),
    awsRequestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${day}/[$LATEST]${awsRequestId.replaceAll('-', '')}`,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(remainingMs())),
  };
  // Part of the type only: Node.js 24 on Lambda has no callbacks any more.
  return Object.assign(context, { done: callbacksAreGone, fail: callbacksAreGone, succeed: callbacksAreGone });
}

function callbacksAreGone(): never {
  throw new Error('Node.js 24 on Lambda has no callbacks; return a promise');
}
