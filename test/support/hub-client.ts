/** The hub's REST API as a CRM calls it: JSON in, `data` out, a failure thrown with its code. */

export class HubCallError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(`${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
  }
}

export interface HubClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  put<T>(path: string, body?: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

interface Envelope<T> {
  success: boolean;
  data?: T;
  code?: string;
  error?: string;
}

export function createHubClient({ url, apiKey }: { url: string; apiKey: string }): HubClient {
  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(url + path, {
      method,
      headers: { "X-API-Key": apiKey, "Content-Type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // The envelope of every native route; a test that gets another shape fails at the member it reads.
    const answer = (await response.json()) as Envelope<T>;
    if (!answer.success) throw new HubCallError(response.status, answer.code ?? "?", answer.error ?? "");
    return answer.data as T;
  }
  return {
    get: (path) => call("GET", path),
    post: (path, body, headers) => call("POST", path, body, headers),
    put: (path, body) => call("PUT", path, body),
    delete: (path) => call("DELETE", path),
  };
}
