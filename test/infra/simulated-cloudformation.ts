import * as z from 'zod/mini';

/** Where a template is imagined to be deployed. */
export type Place = { account: string; region: string; partition?: string };

const resource = z.looseObject({
  Type: z.string(),
  Condition: z.optional(z.string()),
  Properties: z._default(z.record(z.string(), z.unknown()), {}),
});
const template = z.looseObject({
  Conditions: z._default(z.record(z.string(), z.unknown()), {}),
  Resources: z.record(z.string(), resource),
});

export type SimulatedResource = { type: string; properties: Record<string, unknown> };

/**
 * A simulation of what CloudFormation makes of a template in one place: resources whose condition does not hold are
 * left out, and Fn::If, Fn::Equals, Fn::Join and references to pseudo parameters are replaced by what they give there.
 * A reference to another resource becomes `<logical id>` or `<logical id>.<attribute>`. Anything else throws.
 */
export function simulateDeployment(document: unknown, place: Place): Record<string, SimulatedResource> {
  const { Conditions, Resources } = template.parse(document);
  const pseudo: Record<string, string> = {
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
    'AWS::Partition': place.partition ?? 'aws',
  };

  const holds = (name: string) => value(Conditions[name]) === true;

  function value(node: unknown): unknown {
    if (Array.isArray(node)) return node.map(value);
    if (typeof node !== 'object' || node === null) return node;
    const [[key, argument] = ['', null], ...others] = Object.entries(node);
    if (others.length === 0 && (key === 'Ref' || key.startsWith('Fn::'))) return intrinsic(key, argument);
    return Object.fromEntries(Object.entries(node).map(([name, inner]) => [name, value(inner)]));
  }

  function intrinsic(name: string, argument: unknown): unknown {
    if (name === 'Ref') return pseudo[z.string().parse(argument)] ?? `<${z.string().parse(argument)}>`;
    const list = z.array(z.unknown()).parse(argument);
    switch (name) {
      case 'Fn::Equals':
        return value(list[0]) === value(list[1]);
      case 'Fn::If':
        return value(holds(z.string().parse(list[0])) ? list[1] : list[2]);
      case 'Fn::Join':
        return z.array(z.string()).parse(value(list[1])).join(z.string().parse(list[0]));
      case 'Fn::GetAtt':
        return `<${list.join('.')}>`;
      default:
        throw new Error(`${name} is not simulated`);
    }
  }

  return Object.fromEntries(
    Object.entries(Resources)
      .filter(([, { Condition }]) => Condition === undefined || holds(Condition))
      .map(([id, { Type, Properties }]) => [
        id,
        { type: Type, properties: z.record(z.string(), z.unknown()).parse(value(Properties)) },
      ]),
  );
}
