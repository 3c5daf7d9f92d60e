/**
 * An error answer of the DynamoDB API, thrown where it is found and written to the wire by the front. `type` is the
 * exception's name as the SDKs know it; `fields` are members besides the message (CancellationReasons, Item).
 */
export class ApiError extends Error {
  public override readonly name = 'ApiError';
  public readonly type: string;
  public readonly fields: Readonly<Record<string, unknown>>;

  public constructor(type: string, message: string, fields: Record<string, unknown> = {}) {
    super(message);
    this.type = type;
    this.fields = fields;
  }

  /** The body as DynamoDB writes it. Its own exceptions and those of its front end live in two Java packages. */
  public body(): Record<string, unknown> {
    const frontEnd = this.type === 'ValidationException' || this.type === 'UnknownOperationException';
    const namespace = frontEnd ? 'com.amazon.coral.validate' : 'com.amazonaws.dynamodb.v20120810';
    return { __type: `${namespace}#${this.type}`, message: this.message, ...this.fields };
  }
}

/** DynamoDB's answer to a request that is wrong in itself. */
export function validationError(message: string): ApiError {
  return new ApiError('ValidationException', message);
}

/** DynamoDB's answer to a table, stream or shard that is not there. */
export function notFound(message: string): ApiError {
  return new ApiError('ResourceNotFoundException', message);
}
