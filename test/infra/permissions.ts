import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { type DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

export const some = z.union([z.string(), z.array(z.unknown())]).transform((one) => (Array.isArray(one) ? one : [one]));
const any = z
  .union([z.string(), z.array(z.unknown()), z.looseObject({})])
  .transform((one) => (Array.isArray(one) ? one : [one]));
const document = z.object({
  Statement: z.array(
    z.object({ Effect: z.literal('Allow'), Action: some, Resource: any, Condition: z.looseObject({}).optional() }),
  ),
});
const role = z.object({
  Properties: z.object({
    RoleName: z.string().optional(),
    ManagedPolicyArns: z.undefined().optional(),
    Policies: z.array(z.object({ PolicyDocument: document })).default([]),
  }),
});
const attached = z.object({
  Properties: z.object({ PolicyDocument: document, Roles: z.array(z.object({ Ref: z.string() })) }),
});

/** Resources as text: what CloudFormation puts in is named by its logical id without the hash. */
function inWords(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const {
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
    Ref: ref,
  } = z
    .object({
      'Fn::GetAtt': z.tuple([z.string(), z.string()]).optional(),
      'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]).optional(),
      Ref: z.string().optional(),
    })
    .parse(resource);
  const short = (id: string) => id.replace(/[0-9A-F]{8}$/, '');
  if (attribute !== undefined) return `<${short(attribute[0])}.${attribute[1]}>`;
  if (join !== undefined) return join[1].map(inWords).join(join[0]);
  return ref === 'AWS::Partition' ? 'aws' : `<${short(ref ?? '')}>`;
}

/** Every action of every role of the hub and of a watched account, as `action on resource [if condition]`. */
export async function permissionsOf(file: (typeof DEPLOYMENT_FILES)[number]): Promise<Record<string, string[]>> {
  const { hub, members } = await synthesise(file);
  const [member] = members;
  return { ...permissionsIn(hub), ...(member === undefined ? {} : permissionsIn(member)) };
}

function permissionsIn(template: Template): Record<string, string[]> {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).map(
    (resource) => attached.parse(resource).Properties,
  );
  const entries = Object.entries(template.findResources('AWS::IAM::Role')).map(([id, resource]): [string, string[]] => {
    const { RoleName, Policies } = role.parse(resource).Properties;
    const own = policies.filter(({ Roles }) => Roles.some(({ Ref }) => Ref === id));
    const lines = [...Policies, ...own]
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .flatMap(({ Action, Resource, Condition }) =>
        Action.flatMap((action) =>
          Resource.map(
            (resource) =>
              `${String(action)} on ${inWords(resource)}${Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`}`,
          ),
        ),
      );
    return [RoleName ?? inWords({ Ref: id }), lines.sort()];
  });
  return Object.fromEntries(entries);
}
