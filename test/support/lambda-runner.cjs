// Plays the Node.js runtime of Lambda for one function: loads the bundle named on the command line with require, as
// the runtime loads CommonJS. With an event as well it answers that one, on file descriptor 3, and ends: a cold start
// with as little around it as possible. Without, it answers events that come as messages.
const [, , bundle, event] = process.argv;

/** Times the rest of something: wall clock, and what the main thread computed meanwhile. */
function stopwatch() {
  const started = performance.now();
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return { ms: performance.now() - started, cpuMs: (user + system) / 1000 };
  };
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

async function invoke(invocation) {
  const ends = stopwatch();
  try {
    const answer = await handler(invocation, context(`request-${performance.now()}`));
    return { init, call: ends(), answer: answer ?? null };
  } catch (error) {
    return { init, call: ends(), answer: null, error: String(error?.stack ?? error) };
  }
}

if (event === undefined) {
  process.on('message', async (invocation) => {
    process.send(await invoke(invocation));
  });
  process.on('disconnect', () => process.exit());
  process.send({ init, call: { ms: 0, cpuMs: 0 }, answer: null });
} else {
  invoke(JSON.parse(event)).then((result) => {
    const { user, system } = process.threadCpuUsage();
    require('node:fs').writeSync(3, JSON.stringify({ ...result, sinceStartCpuMs: (user + system) / 1000 }));
    process.exit();
  });
}
