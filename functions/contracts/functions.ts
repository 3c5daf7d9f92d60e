/**
 * The Lambda functions, each by its folder below functions/, and what each may take. Memory is in MB and buys CPU with it
 * (1769 MB are one CPU); timeouts are in seconds.
 *
 * | function         | timeout because                                                                              |
 * |------------------|----------------------------------------------------------------------------------------------|
 * | detect-finding   | a look at a key is some calls of 5 s with three tries each, and their roles have to be assumed |
 * | decide-finding   | Slack gives up after 3 s; a click that was taken is still carried out                         |
 * | remediate-key    | applies and reads back until KMS shows it; over before the finding counts as overdue (15 min) |
 * | announce-finding | shorter than the lease of a Slack post, so that two runs never post the same message          |
 * | sweep-keys       | runs every minute, and leaves to the next run what it has no time for                         |
 *
 * People wait for decide-finding, whose cold start is CPU alone: it has one whole CPU, and is done the sooner. The others wait
 * for the network most of the time.
 */
export const FUNCTIONS = {
  'detect-finding': { timeoutSeconds: 60, memoryMb: 512 },
  'decide-finding': { timeoutSeconds: 10, memoryMb: 1769 },
  'remediate-key': { timeoutSeconds: 240, memoryMb: 512 },
  'announce-finding': { timeoutSeconds: 60, memoryMb: 512 },
  'sweep-keys': { timeoutSeconds: 60, memoryMb: 512 },
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = [
  'detect-finding',
  'decide-finding',
  'remediate-key',
  'announce-finding',
  'sweep-keys',
] as const satisfies readonly FunctionName[];
