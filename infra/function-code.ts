import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../functions/contracts/functions.ts';
import { bundle } from './bundling.ts';
import type { FunctionCode } from './hub-stack.ts';

/** Bundles every function, each into a folder of its own below `folder`. */
export async function bundleFunctions(folder: string): Promise<FunctionCode> {
  const codeOf = async (name: FunctionName) => {
    await bundle(name, join(folder, name));
    return Code.fromAsset(join(folder, name));
  };
  const [detect, decide, remediate, announce, sweep] = await Promise.all([
    codeOf('detect-finding'),
    codeOf('decide-finding'),
    codeOf('remediate-key'),
    codeOf('announce-finding'),
    codeOf('sweep-keys'),
  ]);
  return {
    'detect-finding': detect,
    'decide-finding': decide,
    'remediate-key': remediate,
    'announce-finding': announce,
    'sweep-keys': sweep,
  };
}
