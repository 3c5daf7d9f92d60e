import { globSync, readFileSync } from 'node:fs';
import { BOT_SCOPES, SLACK_METHODS } from '../../../functions/contracts/slack-scopes.ts';
import { missingScope } from '../../../sandbox/slack/scopes.ts';

/** `client.conversations.history(` and the like, anywhere in the functions. */
function calledMethods(): string[] {
  const calls = globSync('functions/**/*.ts').flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/\bclient\.((?:[a-z]+\.)+[a-zA-Z]+)\(/g),
  ]);
  return [...new Set(calls.map(([, method = '']) => method))].sort();
}

it('lists the methods that the functions call, and no others', () => {
  expect(calledMethods()).toEqual(Object.keys(SLACK_METHODS).sort());
});

it('opens every method that is called, in the simulated Slack’s own reading of the documentation', () => {
  const refused = Object.keys(SLACK_METHODS).filter((method) => missingScope(method, BOT_SCOPES) !== undefined);
  expect(refused).toEqual([]);
});

it('asks for no scope that no method and no command needs', () => {
  expect(BOT_SCOPES).toEqual([
    ...['channels:history', 'chat:write', 'commands', 'groups:history'],
    ...['usergroups:read', 'users:read', 'users:read.email'],
  ]);
});
