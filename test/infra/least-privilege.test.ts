import * as z from 'zod';
import { DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

const some = z.union([z.string(), z.array(z.unknown())]).transform((one) => (Array.isArray(one) ? one : [one]));
const any = z.union([z.string(), z.array(z.unknown()), z.looseObject({})]).transform((one) => (Array.isArray(one) ? one : [one]));
const role = z.object({
  Properties: z.object({
    RoleName: z.string().optional(),
    ManagedPolicyArns: z.undefined(),
    Policies: z.array(
      z.object({
        PolicyDocument: z.object({
          Statement: z.array(
            z.object({
              Effect: z.literal('Allow'),
              Action: some,
              Resource: any,
              Condition: z.looseObject({}).optional(),
            }),
          ),
        }),
      }),
    ),
  }),
});

/** Resources as text: what CloudFormation puts in is named by its logical id without the hash. */
function inWords(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::GetAtt': attribute, 'Fn::Join': join, Ref: ref } = z
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

async function permissionsOf(file: (typeof DEPLOYMENT_FILES)[number]): Promise<Record<string, string[]>> {
  const { hub } = await synthesise(file);
  const entries = Object.entries(hub.findResources('AWS::IAM::Role')).map(([id, resource]): [string, string[]] => {
    const { RoleName, Policies } = role.parse(resource).Properties;
    const lines = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).flatMap(
      ({ Action, Resource, Condition }) =>
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

test('x', async () => {
  console.log(JSON.stringify(await permissionsOf('deployment.yaml'), null, 1));
  console.log(JSON.stringify(await permissionsOf('infra/examples/organization.yaml'), null, 1));
});
