/** A call to the sandbox's own `/sandbox/...` interface, already parsed: `path` is what follows `/sandbox/`. */
export type ControlRequest = { method: string; path: string; query: URLSearchParams; body: unknown };

/** Both servers (AWS endpoint and Slack) hand `/sandbox/...` requests to the same handler. */
export type ControlHandler = (request: ControlRequest) => Promise<{ status: number; body: unknown }>;
