/**
 * Faults that the next calls meet. `error` is a Web API error name, or `ratelimited` (429, Retry-After: 1), `http_500`,
 * `timeout` (the connection ends, nothing was done) or `timeout_after_accept` (everything was done, but the answer is lost).
 */
export type Fault = { method: string; error: string; times: number };
export type Faults = {
  /** The next `times` calls of `method` (`*` is any) meet `error`; 0 takes the fault away. */
  set: (method: string, error: string, times: number) => void;
  list: () => Fault[];
  /** The fault that a call of this method meets now, counted down. */
  take: (method: string) => string | undefined;
};

export function createFaults(): Faults {
  let faults: Fault[] = [];
  return {
    set(method, error, times) {
      faults = faults.filter((fault) => fault.method !== method || fault.error !== error);
      if (times > 0) faults.push({ method, error, times });
    },
    list: () => faults.map((fault) => ({ ...fault })),
    take(method) {
      const fault = faults.find((candidate) => candidate.method === method || candidate.method === '*');
      if (fault === undefined) return undefined;
      fault.times -= 1;
      faults = faults.filter(({ times }) => times > 0);
      return fault.error;
    },
  };
}
