/**
 * An answer that AWS would give as an error: the code (`__type` in JSON, `Code` in XML), the sentence and the HTTP
 * status. The gateway turns it into the shape of the protocol that the request used.
 */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
