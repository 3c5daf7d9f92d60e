import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { validationException } from './errors.ts';

/** A key id, key ARN, alias name or alias ARN; which of them an operation takes is decided where the key is looked up. */
export const keyIdInput = z.string().min(1).max(2048);
export const limitInput = (max: number) => z.int().min(1).max(max).optional();
export const markerInput = z.string().min(1).max(1024).optional();
export const blobInput = z.base64().min(1).max(8192);

export const tagInput = z.object({ TagKey: z.string().min(1).max(128), TagValue: z.string().max(256) });
export type Tag = z.infer<typeof tagInput>;

/**
 * Parses a request body.
 * @throws AwsError ValidationException in KMS's wording, or SerializationException where a value has the wrong JSON type
 */
export function parseInput<Input>(schema: z.ZodType<Input>, raw: unknown): Input {
  const result = schema.safeParse(raw, { reportInput: true });
  if (result.success) return result.data;
  const complaints = result.error.issues.map(complaint);
  const count = complaints.length;
  throw validationException(`${count} validation error${count === 1 ? '' : 's'} detected: ${complaints.join('; ')}`);
}

function complaint(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(pathPart).join('.');
  if (issue.input === undefined)
    return `Value null at '${place}' failed to satisfy constraint: Member must not be null`;
  return `Value '${shown(issue.input)}' at '${place}' failed to satisfy constraint: Member must ${constraint(issue)}`;
}

function constraint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return `have ${measure(issue.origin)} greater than or equal to ${String(issue.minimum)}`;
    case 'too_big':
      return `have ${measure(issue.origin)} less than or equal to ${String(issue.maximum)}`;
    case 'invalid_value':
      return `satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
    case 'invalid_format':
      return `satisfy regular expression pattern: ${(issue.pattern ?? issue.format).replace(/^\/|\/[a-z]*$/g, '')}`;
    case 'invalid_type':
      throw new AwsError('SerializationException', `${pathName(issue)} can not be converted to ${issue.expected}`);
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

const measure = (origin: string) => (origin === 'string' || origin === 'array' ? 'length' : 'value');
const pathName = (issue: z.core.$ZodIssue) => issue.path.map(String).join('.') || 'The request body';

// KMS names members from 1 and in lower camel case: tags.1.member.tagKey
function pathPart(part: PropertyKey): string {
  if (typeof part === 'number') return `${part + 1}.member`;
  const name = String(part);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function shown(input: unknown): string {
  return typeof input === 'string' || typeof input === 'number' ? String(input) : JSON.stringify(input);
}
