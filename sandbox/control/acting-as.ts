import * as z from 'zod';
import { cloudFormation, consolePerson, identityCenterPerson, type RequestOrigin, terraform } from '../aws/caller.ts';
import { findPerson } from '../slack/people.ts';
import { Refused } from './refused.ts';

/** Who makes an AWS call: a person by Slack user id, or a tool. */
export const actor = {
  as: z.enum(['person', 'console', 'terraform', 'cloudformation']).default('person'),
  user: z.string().default('U0ENGINEER'),
};
export type Actor = z.infer<z.ZodObject<typeof actor>>;

/** The caller in that account. @throws Refused when there is no such person */
export function originOf({ as, user }: Actor, account: string): RequestOrigin {
  const person = findPerson(user);
  if (person === undefined) throw new Refused(`There is no person "${user}".`);
  switch (as) {
    case 'person':
      return identityCenterPerson(account, person.email);
    case 'console':
      return consolePerson(account, person.email);
    case 'terraform':
      return terraform(account);
    case 'cloudformation':
      return cloudFormation(account);
  }
}
