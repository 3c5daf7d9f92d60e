/** What KMS sent back, byte for byte and parsed. */
export type WireAnswer = { status: number; text: string; body: unknown };

/** One call of KMS without an SDK in between, which would hide status, missing members and an empty body. */
export async function callKms(
  url: string,
  operation: string,
  input: Record<string, unknown>,
  { account = '123456789012', region = 'eu-central-1' } = {},
): Promise<WireAnswer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${account}/20261123/${region}/kms/aws4_request, SignedHeaders=host, Signature=00`,
    },
    body: JSON.stringify(input),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text === '' ? undefined : JSON.parse(text) };
}
