import * as z from 'zod';
import { checkTags } from './create-key.ts';
import { requireState } from './key-state.ts';
import { arnOf } from './key-store.ts';
import { operation } from './operation.ts';
import { page } from './paging.ts';
import { keyIdInput, limitInput, markerInput, tagInput } from './validation.ts';

/** TagResource adds tags and overwrites those of the same name. */
export const tagResource = operation({
  input: z.object({ KeyId: keyIdInput, Tags: z.array(tagInput) }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'TagResource');
    const named = new Set(request.Tags.map((tag) => tag.TagKey));
    checkTags(request.Tags);
    const tags = [...key.tags.filter((tag) => !named.has(tag.TagKey)), ...request.Tags];
    checkTags(tags);
    key.tags = tags;
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** UntagResource. A tag that is not there is no error. */
export const untagResource = operation({
  input: z.object({ KeyId: keyIdInput, TagKeys: z.array(z.string().min(1).max(128)) }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'UntagResource');
    key.tags = key.tags.filter((tag) => !request.TagKeys.includes(tag.TagKey));
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** ListResourceTags. */
export const listResourceTags = operation({
  readOnly: true,
  input: z.object({ KeyId: keyIdInput, Limit: limitInput(50), Marker: markerInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    const sorted = [...key.tags].sort((a, b) => (a.TagKey < b.TagKey ? -1 : 1));
    const { items, paging } = page(sorted, request, { limit: 50, idOf: (tag) => tag.TagKey });
    return { body: { Tags: items, ...paging } };
  },
});
