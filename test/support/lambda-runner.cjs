// Plays the Node.js runtime of Lambda for one function: loads the bundle named on the command line with require, as
// the runtime loads CommonJS, then answers invocations one after another. Times are milliseconds of this process.
const [, , bundle, firstEvent] = process.argv;

/** Times the rest of something: wall clock, and what this process computed meanwhile. */
function stopwatch() {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { ms: performance.now() - started, cpuMs: (user + system) / 1000 };
  };
}

/** Everything since the start of the process, Node.js itself included. */
function processCpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const initEnds = stopwatch();
const { handler } = require(bundle);
const init = initEnds();

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
  const ends = stopwatch();
  try {
    const answer = await handler(event, context(`request-${performance.now()}`));
    return { init, call: ends(), processCpuMs: processCpuMs(), answer: answer ?? null };
  } catch (error) {
    return { init, call: ends(), processCpuMs: processCpuMs(), answer: null, error: String(error?.stack ?? error) };
  }
}

process.on('message', async (event) => {
  process.send(await invoke(event));
});
process.on('disconnect', () => process.exit());
// A cold start is measured from the outside: the first event comes with the process.
if (firstEvent === undefined)
  process.send({ init, call: { ms: 0, cpuMs: 0 }, processCpuMs: processCpuMs(), answer: null });
else invoke(JSON.parse(firstEvent)).then((result) => process.send(result));
