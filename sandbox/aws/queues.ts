import { Server } from 'node:net';
import { startFauxqs } from 'fauxqs';

/** A running SQS and SNS on one endpoint. */
export type Queues = {
  url: string;
  /** Puts a message into a queue as another service of AWS does. Throws when there is no such queue in that Region. */
  send: (queue: { name: string; region: string }, body: string) => void;
  close: () => Promise<void>;
};

/**
 * Starts fauxqs (SQS and SNS) in this process, on a free port of 127.0.0.1 and without a log. With `dataDir` queues,
 * topics and messages survive a restart. Its account is always 000000000000, and the host in its queue URLs,
 * `sqs.<region>.localhost`, need not resolve: clients send to their configured endpoint.
 *
 * Delays, visibility timeouts and message ages are points in time, compared with the global Date at each receive and
 * every 20 ms while somebody long-polls. So a clock that jumps forward makes delayed messages due and lets invisible
 * ones reappear. The wait of a long poll is a timer and stays real.
 */
export async function startQueues({ dataDir }: { dataDir?: string } = {}): Promise<Queues> {
  const { started: fauxqs, redirected } = await onLoopback(() =>
    startFauxqs({
      port: 0,
      logger: false,
      host: 'localhost',
      init: {},
      ...(dataDir === undefined ? {} : { dataDir }),
    }),
  );
  if (!redirected) {
    await fauxqs.stop();
    throw new Error('fauxqs did not ask for 0.0.0.0, so where it listens is not known; only 127.0.0.1 may be used');
  }
  return {
    url: `http://127.0.0.1:${fauxqs.port}`,
    send({ name, region }, body) {
      fauxqs.sendMessage(name, body, { region });
    },
    close: () => fauxqs.stop(),
  };
}

/**
 * fauxqs has no option for its address and asks for 0.0.0.0, which is every network of the machine. Whatever asks
 * for that while `start` runs gets the loopback address instead.
 */
async function onLoopback<T>(start: () => Promise<T>): Promise<{ started: T; redirected: boolean }> {
  const original: unknown = Reflect.get(Server.prototype, 'listen');
  if (typeof original !== 'function') throw new Error('net.Server has no listen');
  let redirected = false;
  Reflect.set(Server.prototype, 'listen', function (this: Server, ...args: unknown[]): unknown {
    const [first, ...rest] = args;
    const everywhere = typeof first === 'object' && first !== null && 'host' in first && first.host === '0.0.0.0';
    redirected ||= everywhere;
    const result: unknown = Reflect.apply(
      original,
      this,
      everywhere ? [{ ...first, host: '127.0.0.1' }, ...rest] : args,
    );
    return result;
  });
  try {
    return { started: await start(), redirected };
  } finally {
    Reflect.set(Server.prototype, 'listen', original);
  }
}
