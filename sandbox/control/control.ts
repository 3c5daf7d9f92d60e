import * as z from 'zod';
import { isMistake, MISTAKE_NAMES } from '../aws/account/mistakes.ts';
import { createFaults, FaultRefused } from '../aws/faults.ts';
import type { ControlHandler, ControlRequest } from '../control-handler.ts';
import type { SandboxParts } from '../sandbox-parts.ts';
import { settle } from '../settle.ts';
import { type Click, ImpossibleInteraction } from '../slack/interactions.ts';
import { actOnKey, actOnKeyBody } from './act-on-key.ts';
import { parseDuration } from './duration.ts';
import { makeKey, makeKeyBody } from './make-key.ts';
import { Refused } from './refused.ts';
import { showState } from './show-state.ts';

const SETTLE_SECONDS = 60;

const clickBody = z.strictObject({
  user: z.string(),
  channel: z.string().optional(),
  ts: z.string().optional(),
  viewId: z.string().optional(),
  actionId: z.string(),
  blockId: z.string().optional(),
  confirm: z.boolean().optional(),
  seen: z.strictObject({ text: z.string(), value: z.string().exactOptional() }).optional(),
});
const submitBody = z.strictObject({
  user: z.string(),
  viewId: z.string(),
  values: z.record(z.string(), z.string()).default({}),
});
const closeViewBody = z.strictObject({ user: z.string(), viewId: z.string() });
const newKeyBody = makeKeyBody.extend({ unheard: z.boolean().default(false) });
const enterBody = z.strictObject({ user: z.string(), viewId: z.string(), actionId: z.string(), value: z.string() });
const homeBody = z.strictObject({ user: z.string() });
const commandBody = z.strictObject({
  user: z.string(),
  channel: z.string(),
  command: z.string(),
  text: z.string().default(''),
});
const clockBody = z.strictObject({ advance: z.string() });
const faultBody = z.strictObject({
  service: z.string(),
  operation: z.string().default('*'),
  error: z.string(),
  times: z.int().min(0).default(1),
});
const mistakesBody = z.strictObject({ names: z.array(z.string()).default([]) });
const settleBody = z.strictObject({ atMostSeconds: z.number().min(0).max(600).default(SETTLE_SECONDS) });

type Answer = { status: number; body: unknown };
type Call = (parts: SandboxParts, request: ControlRequest) => Promise<Answer> | Answer;

const CALLS = new Map<string, Call>([
  ['GET state', async (parts) => ok(await showState(parts))],
  ['GET audit', async ({ records }, { query }) => ok(await records.auditOf(keyOf(query)))],
  ['GET notices', ({ wiring }) => ok({ notices: wiring.notices() })],
  [
    'POST keys',
    ({ kms, unheard }, { body }) => {
      const { unheard: isUnheard, ...key } = read(newKeyBody, body);
      return ok(isUnheard ? unheard(() => makeKey(kms, key)) : makeKey(kms, key));
    },
  ],
  ['POST keys/act', ({ kms }, { body }) => ok(actOnKey(kms, read(actOnKeyBody, body)))],
  ['POST click', async ({ slack }, { body }) => ok(await slack.click(clickOf(read(clickBody, body))))],
  ['POST submit', async ({ slack }, { body }) => ok(await slack.submit(read(submitBody, body)))],
  ['POST close-view', async ({ slack }, { body }) => ok(await slack.closeView(read(closeViewBody, body)))],
  ['POST enter', async ({ slack }, { body }) => ok(await slack.enter(read(enterBody, body)))],
  ['POST open-home', async ({ slack }, { body }) => ok(await slack.openHome(read(homeBody, body)))],
  ['POST command', async ({ slack }, { body }) => ok(await slack.runCommand(read(commandBody, body)))],
  ['POST sweep', async ({ wiring }) => ok(await wiring.sweep())],
  ['POST clock', moveClock],
  ['POST fault', plantFault],
  ['POST mistakes', makeMistakes],
  [
    'POST settle',
    async ({ wiring }, { body }) => {
      const { atMostSeconds } = read(settleBody, body);
      const settled = await settle(wiring.pending, atMostSeconds * 1000);
      if (settled.pending === 0) return ok(settled);
      const error = `Something was still on the way after ${atMostSeconds} seconds.`;
      return { status: 504, body: { error, ...settled } };
    },
  ],
]);

/** The `/sandbox/...` interface, as sandbox/README.md describes it. */
export function createControl(parts: SandboxParts): ControlHandler {
  return async (request) => {
    const call = CALLS.get(`${request.method} ${request.path}`);
    if (call === undefined) {
      const error = `There is no ${request.method} /sandbox/${request.path}; known: ${[...CALLS.keys()].join(', ')}.`;
      return { status: 404, body: { error } };
    }
    try {
      return await call(parts, request);
    } catch (error) {
      const isRefusal =
        error instanceof Refused || error instanceof ImpossibleInteraction || error instanceof FaultRefused;
      if (!isRefusal) throw error;
      return { status: 400, body: { error: error.message } };
    }
  };
}

async function moveClock({ clock, kms, wiring }: SandboxParts, { body }: ControlRequest): Promise<Answer> {
  clock.advance(parseDuration(read(clockBody, body).advance));
  kms.tick();
  await wiring.clockMoved();
  return ok({ now: clock.now().toISOString() });
}

function plantFault({ faults, slack }: SandboxParts, { body }: ControlRequest): Answer {
  const fault = read(faultBody, body);
  if (fault.service === 'slack') {
    // The one list of services and errors says whether it can be planted; Slack keeps its own faults.
    createFaults().set(fault);
    slack.faults.set(fault.operation, fault.error, fault.times);
  } else {
    faults.set(fault);
  }
  return ok({ ok: true });
}

function makeMistakes(parts: SandboxParts, { body }: ControlRequest): Answer {
  const { names } = read(mistakesBody, body);
  const unknown = names.find((name) => !isMistake(name));
  if (unknown !== undefined) {
    throw new Refused(`There is no mistake "${unknown}"; known: ${MISTAKE_NAMES.join(', ')}.`);
  }
  parts.makeMistakes(names.filter(isMistake));
  return ok({ names });
}

function keyOf(query: URLSearchParams): string {
  const key = query.get('key');
  if (key === null || key === '') throw new Refused('Name the key: /sandbox/audit?key=<arn>.');
  return key;
}

/** @throws Refused with the first thing that is wrong with the body */
function read<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'The body' : `"${issue.path.join('.')}"`;
  throw new Refused(`${where}: ${issue?.message ?? 'not understood'}.`);
}

/** Fields that were not sent are left out, not undefined. */
function clickOf({ user, actionId, ...rest }: z.infer<typeof clickBody>): Click {
  const { channel, ts, viewId, blockId, confirm, seen } = rest;
  return {
    ...{ user, actionId },
    ...(channel === undefined ? {} : { channel }),
    ...(ts === undefined ? {} : { ts }),
    ...(viewId === undefined ? {} : { viewId }),
    ...(blockId === undefined ? {} : { blockId }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(seen === undefined ? {} : { seen }),
  };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
