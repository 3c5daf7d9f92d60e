import { type Logger, LogLevel } from '@slack/web-api';

/**
 * For Slack's clients: what fails is told once, by whoever meets it, and the errors carry everything the client would print.
 */
export const SILENT_LOGGER: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => LogLevel.ERROR,
};
