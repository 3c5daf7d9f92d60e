/** An answer `{"ok": false, "error": code}` of the Web API. `complaints` go to `errors` and `response_metadata.messages`. */
export class SlackApiError extends Error {
  public override readonly name = 'SlackApiError';
  public readonly code: string;
  public readonly complaints: readonly string[];

  public constructor(code: string, complaints: readonly string[] = []) {
    super(code);
    this.code = code;
    this.complaints = complaints;
  }
}
