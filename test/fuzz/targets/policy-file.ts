import { readFileSync } from 'node:fs';
import { readPolicyYaml } from '../../../functions/adapters/policy-yaml.ts';
import { InvalidPolicy, parsePolicy } from '../../../functions/contracts/policy.ts';
import { aPolicy } from '../../builders.ts';
import { edited } from '../edits.ts';
import { check, checkPrototypes, onlyThrows } from '../properties.ts';

/*
 * The policy file as text, and as the document that the table holds. A policy that cannot be read has to be an
 * InvalidPolicy, because that is what stops decisions and remediation.
 */
const EXAMPLE = readFileSync(new URL('../../../rotation-policy.yaml', import.meta.url), 'utf8');

export function fuzz(data: Buffer): void {
  const read =
    (data[0] ?? 0) < 0x09
      ? onlyThrows([InvalidPolicy], () => parsePolicy(edited(aPolicy(), data.subarray(1))))
      : onlyThrows([InvalidPolicy], () => readPolicyYaml(data.toString()));
  if (read !== undefined && 'document' in read) {
    const again = onlyThrows([], () => parsePolicy(JSON.parse(JSON.stringify(read.document))));
    check('readable', JSON.stringify(again) === JSON.stringify(read.policy), () => JSON.stringify(again));
  }
  checkPrototypes();
}

export function seeds(): Buffer[] {
  const uncommented = EXAMPLE.replace(/^\s*#.*\n/gm, '').replace(/\s+#.*$/gm, '');
  return [
    Buffer.from(uncommented),
    Buffer.from(JSON.stringify(aPolicy())),
    Buffer.from([0, 0, 2, 1]),
    ...['a: &a [x]\nb: *a', '? [a, b]\n: c', 'a: !!set {x}', '%YAML 1.1\n---\na: 0o14', 'a: |\n  b\n...\n---\nc'].map(
      (text) => Buffer.from(text),
    ),
  ];
}
