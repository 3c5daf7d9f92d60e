// Plays the Node.js runtime of Lambda for one function: loads the bundle named on the command line with require, as
// the runtime loads CommonJS, then answers invocations one after another. Times are milliseconds of this process.
const [, , bundle, firstEvent] = process.argv;

const beforeInit = performance.now();
const { handler } = require(bundle);
const initMs = performance.now() - beforeInit;

function context(id) {
  return {
    awsRequestId: id,
    functionName: 'bundled',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:bundled',
    memoryLimitInMB: '512',
    logGroupName: '/aws/lambda/bundled',
    logStreamName: 'stream',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => 60_000,
  };
}

async function invoke(event) {
  const started = performance.now();
  try {
    const answer = await handler(event, context(`request-${started}`));
    return { initMs, ms: performance.now() - started, answer: answer ?? null };
  } catch (error) {
    return { initMs, ms: performance.now() - started, answer: null, error: String(error?.stack ?? error) };
  }
}

process.on('message', async (event) => {
  process.send(await invoke(event));
});
process.on('disconnect', () => process.exit());
// A cold start is measured from the outside: the first event comes with the process.
if (firstEvent === undefined) process.send({ initMs, ms: 0, answer: null });
else invoke(JSON.parse(firstEvent)).then((result) => process.send(result));
