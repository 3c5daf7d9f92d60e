/** What schedules have to reach, or that nothing was broken would say little. */
export const SITUATIONS = [
  'a storm becomes a digest',
  'a channel has another storm and another digest',
  'who may clicks "Approve all"',
  'who may not clicks "Approve all"',
  'a batch approves a key',
  'a batch is refused a key',
  'a batch meets a key that was decided meanwhile',
  'a batch meets a key that its person was not shown',
  'a batch goes on after its run died',
  'a batch goes on after its run had an error',
  'a stream record of a digest is delivered once more',
  'a stream record of a digest is handled twice at once',
  'a person decides about one key of a digest',
  'two people decide about one key of a digest',
  'a key of a digest becomes exempt',
  'the mode of a key in a digest changes',
  'a key leaves its digest',
  'somebody deletes the message of a digest',
  'the policy becomes unreadable while a digest waits',
  'the policy becomes unreadable while a batch is under way',
] as const;
export type Situation = (typeof SITUATIONS)[number];
