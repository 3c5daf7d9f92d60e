/** The answer of AWS's query protocol (STS, SNS). `result` is XML already. */
export function queryAnswer(answer: { action: string; namespace: string; requestId: string; result: string }): string {
  const { action, namespace, requestId, result } = answer;
  return `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`;
}

/** An error in the query protocol; `Sender` for the caller's fault, `Receiver` for the service's. */
export function queryError(error: {
  code: string;
  message: string;
  status: number;
  namespace: string;
  requestId: string;
}): string {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  return `<ErrorResponse xmlns="${error.namespace}"><Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error><RequestId>${error.requestId}</RequestId></ErrorResponse>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text made safe for XML content and attributes. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
