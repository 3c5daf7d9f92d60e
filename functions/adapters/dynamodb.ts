/** An item or a part of one, in plain JavaScript values. */
export type Item = Record<string, unknown>;

/** A DynamoDB expression with the names and values that it mentions. */
export type Expression = { expression: string; names?: Record<string, string>; values?: Item };

export type ConditionalPut = { item: Item; condition: Expression };

export type Question = {
  /** The table itself when undefined. */
  index?: string;
  keyCondition: Expression;
  /** At most so many items; all of them when undefined. */
  limit?: number;
  /** In falling order of the sort key. */
  newestFirst?: boolean;
  /** Not possible with an index. */
  consistent?: boolean;
};

/**
 * One table of DynamoDB, as far as the bot uses it. Fulfilled twice: over the AWS SDK (dynamodb-sdk.ts), and over
 * fetch (dynamodb-fetch.ts) for the function that people wait for. Both retry what may pass by itself.
 */
export type DynamoDbTable = {
  /** The item with this key, read consistently. */
  get: (key: Item) => Promise<Item | undefined>;
  put: (item: Item) => Promise<void>;
  /** `condition` shares the names and values of `change`. @throws ConditionFailed */
  update: (key: Item, change: Expression, condition: string) => Promise<void>;
  query: (question: Question) => Promise<Item[]>;
  /** Writes all items or none. @throws TransactionRefused */
  putTogether: (puts: ConditionalPut[]) => Promise<void>;
};

/** The item is not as the condition wants it; nothing was written. */
export class ConditionFailed extends Error {
  public override readonly name = 'ConditionFailed';
}

/** Nothing of the transaction was written. */
export class TransactionRefused extends Error {
  public override readonly name = 'TransactionRefused';
  /** DynamoDB's word per item, in their order: `ConditionalCheckFailed`, `TransactionConflict`, `None`, ... */
  public readonly reasons: readonly string[];
  public constructor(reasons: readonly string[], options?: ErrorOptions) {
    super(`DynamoDB refuses the transaction: ${reasons.join(', ')}`, options);
    this.reasons = reasons;
  }
}
