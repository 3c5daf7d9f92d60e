/** How a target is fuzzed. */
export type Target = {
  /** File below `targets/`, without extension. */
  name: string;
  /** Whose code the fuzzer watches: a file whose path contains one of these is instrumented. */
  watched: readonly string[];
  /** Longest input, bytes. */
  longest: number;
  /** Words the format knows and chance would not find. */
  words: readonly string[];
};

const PRODUCT = '/functions/';
const SLACK_WORDS = [
  ...['block_actions', 'view_submission', 'view_closed', 'shortcut', 'message_action', 'block_suggestion'],
  ...['actions', 'action_id', 'callback_id', 'private_metadata', 'response_url', 'response_urls', 'enterprise'],
  ...['is_enterprise_install', 'authorizations', 'channel', 'channel_id', 'command', 'event', 'bot_id', 'team_id'],
  ...['approve', 'exempt', 're-check', 'renew-exemption', 'revoke-exemption', 'back-out', 'exemption-terms'],
];

export const TARGETS: readonly Target[] = [
  {
    name: 'slack-unsigned',
    watched: [PRODUCT],
    longest: 4096,
    words: ['x-slack-signature', 'x-slack-request-timestamp', 'content-type', 'base64', 'lying', 'POST', 'v0=', '\n\n'],
  },
  {
    name: 'slack-signed',
    watched: [PRODUCT, '/@slack/bolt/dist/App.js', '/@slack/bolt/dist/helpers.js', '/@slack/bolt/dist/middleware/'],
    longest: 8192,
    words: SLACK_WORDS,
  },
  { name: 'slack-values', watched: [PRODUCT], longest: 2048, words: ['finding', 'purpose', 'episode', 'key'] },
  { name: 'key-events', watched: [PRODUCT], longest: 8192, words: ['errorCode', 'aws-cn', 'alias/', ':key/', 'Root'] },
  {
    name: 'policy-file',
    watched: [PRODUCT, '/yaml/dist/compose/'],
    longest: 4096,
    words: ['<<: ', '*a', '&a', '!!', '%TAG', '---', '...', '? ', '|', '>-', '[', '{', '- - ', '.inf', '.nan', '0x'],
  },
  { name: 'table-rows', watched: [PRODUCT], longest: 8192, words: ['finding', 'record', 'state', 'document', 'ttl'] },
];

/** Not part of the product: shows that the fuzzer finds what is there. */
export const PLANTED: Target = { name: 'planted', watched: ['/planted-parser.ts'], longest: 96, words: [] };

/** @throws RangeError when there is no such target */
export function targetNamed(name: string): Target {
  const found = [...TARGETS, PLANTED].find((target) => target.name === name);
  if (found === undefined) {
    throw new RangeError(`no target is called "${name}"; there are ${TARGETS.map((target) => target.name).join(', ')}`);
  }
  return found;
}

/** What a target's module has to export. */
export type TargetModule = {
  /** Throws when a property does not hold for the input. */
  fuzz: (data: Buffer) => void | Promise<void>;
  /** Valid inputs to begin with. */
  seeds: () => Buffer[];
};

export async function loadTarget(name: string): Promise<TargetModule> {
  const module: unknown = await import(`./targets/${name}.ts`);
  if (!isTargetModule(module)) throw new TypeError(`targets/${name}.ts does not export fuzz and seeds`);
  return module;
}

function isTargetModule(module: unknown): module is TargetModule {
  if (typeof module !== 'object' || module === null || !('fuzz' in module) || !('seeds' in module)) return false;
  return typeof module.fuzz === 'function' && typeof module.seeds === 'function';
}
