import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createBot, KEYS, sign, TIMESTAMP } from './bot.ts';
import { check, checkPrototypes, described, PropertyBroken } from './properties.ts';

const ANSWERS = [200, 400, 401, 404, 405, 413];
const SLACK = 'https://hooks.slack.com';
const MENTION = /<[!@#]/;

const bot = await createBot();

/**
 * Sends a request that Slack signed, twice, and checks everything that has to hold of the answers and of what was done.
 * `about` is the key that may change; undefined when any may. Answers what the first answer was.
 */
export async function sendTwice(
  event: APIGatewayProxyEventV2,
  { timestamp = TIMESTAMP, about }: { timestamp?: string; about?: string } = {},
): Promise<APIGatewayProxyStructuredResultV2> {
  await bot.reset();
  const before = bot.trail();
  const signed = sign(event, timestamp);
  const first = await answerOf(signed);
  const once = bot.trail();
  checkAnswer(first);
  const second = await answerOf(signed);
  check('acts-once', bot.trail() === once, () => `${before} became ${once}, then ${bot.trail()}`);
  checkAnswer(second);
  if (about !== undefined) checkOnlyKey(about, before, once);
  for (const { url, text } of bot.posts) {
    check('answers-only-slack', URL.parse(url)?.origin === SLACK, () => url);
    check('nobody-is-called', !MENTION.test(text), () => text);
  }
  checkPrototypes();
  return first;
}

async function answerOf(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    return await bot.handle(event);
  } catch (error) {
    throw new PropertyBroken('contained', described(error), { cause: error });
  }
}

function checkAnswer({ statusCode = 0, headers, body = '' }: APIGatewayProxyStructuredResultV2): void {
  check('contained', ANSWERS.includes(statusCode), () => `${statusCode}; ${bot.failures.map(described).join('\n')}`);
  // The challenge of a URL verification comes back as it is, as text/plain, to Slack's own verifier.
  const isChallenge = headers?.['content-type'] === 'text/plain';
  check('nobody-is-called', isChallenge || !MENTION.test(body), () => body);
}

function checkOnlyKey(about: string, before: string, after: string): void {
  const [then, now] = [before.split(','), after.split(',')];
  const changed = KEYS.filter((_, index) => then[index] !== now[index]).map(({ arn }) => arn);
  check(
    'about-its-own-key',
    changed.every((arn) => arn === about),
    () => `${about} changed ${changed.join()}`,
  );
}
