/** What a person typed or chose in a modal: checked as the Slack client checks it, and shaped as `view.state.values`. */
import * as z from 'zod';
import type { InputBlock } from './block-schema.ts';
import { findPerson } from './people.ts';
import type { StoredView } from './view-schema.ts';

type Element = InputBlock['element'];
type StateValues = StoredView['state']['values'];

/** `values` ready for the payload, or `errors`: a sentence per block_id, shown without asking the app. */
export type FormReading =
  | { outcome: 'complete'; values: StateValues }
  | { outcome: 'incomplete'; errors: Record<string, string> };

/** A refused value; the message is shown beside the field. */
class FieldError extends Error {
  public override readonly name = 'FieldError';
}

function initialValue(element: Element): string | undefined {
  if (element.type === 'plain_text_input') return element.initial_value;
  if (element.type === 'users_select') return element.initial_user;
  if (element.type === 'datepicker') return element.initial_date;
  if (element.type === 'static_select') return element.initial_option?.value;
  return undefined;
}

type TextInput = Extract<Element, { type: 'plain_text_input' }>;
type StaticSelect = Extract<Element, { type: 'static_select' }>;

function textState(element: TextInput, value: string | undefined) {
  const min = element.min_length ?? 0;
  const max = element.max_length ?? 3000;
  if (value !== undefined && value.length < min) throw new FieldError(`Enter at least ${min} characters.`);
  if (value !== undefined && value.length > max) throw new FieldError(`Enter at most ${max} characters.`);
  return { type: element.type, value: value ?? null };
}

function selectState(element: StaticSelect, value: string | undefined) {
  const options = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  const chosen = options.find((option) => option.value === value);
  if (value !== undefined && chosen === undefined) throw new FieldError('Choose an option from the list.');
  return { type: element.type, selected_option: chosen ?? null };
}

/** The state of one element; an empty one has null where its value would be. */
function elementState(element: Element, value: string | undefined): Record<string, unknown> {
  if (element.type === 'plain_text_input') return textState(element, value);
  if (element.type === 'static_select') return selectState(element, value);
  if (element.type === 'users_select') {
    if (value !== undefined && findPerson(value) === undefined) throw new FieldError('Choose a person from the list.');
    return { type: element.type, selected_user: value ?? null };
  }
  if (element.type === 'datepicker') {
    if (value !== undefined && !z.iso.date().safeParse(value).success) {
      throw new FieldError('Enter a date as YYYY-MM-DD.');
    }
    return { type: element.type, selected_date: value ?? null };
  }
  return { type: element.type };
}

/**
 * Reads the fields of a view from `given`, by block_id. A block that is not named keeps its initial value; an empty string
 * empties it. A required field must not be empty.
 */
export function readForm(view: StoredView, given: Readonly<Record<string, string>>): FormReading {
  const values: StateValues = {};
  const errors: Record<string, string> = {};
  for (const block of view.blocks) {
    if (block.type !== 'input') continue;
    const { element } = block;
    const value = (given[block.block_id] ?? initialValue(element) ?? '').trimEnd();
    if (value === '' && !block.optional) {
      errors[block.block_id] = 'Please complete this required field.';
      continue;
    }
    try {
      values[block.block_id] = { [element.action_id]: elementState(element, value === '' ? undefined : value) };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      errors[block.block_id] = error.message;
    }
  }
  return Object.keys(errors).length > 0 ? { outcome: 'incomplete', errors } : { outcome: 'complete', values };
}
