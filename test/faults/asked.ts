/** What a hub in trouble says of itself to those who ask: whether it is ready and why not, and whether it takes a message. */
import { HubCallError } from "../support/hub-client.ts";
import type { LinkedAccount, Stand } from "./stand.ts";

export interface Ready {
  status: number;
  /** Names of what does not work. */
  failing: string[];
}

export async function askReady({ hub }: Pick<Stand, "hub">): Promise<Ready> {
  const { url, apiKey } = hub();
  const response = await fetch(`${url}/readyz`, { headers: { "X-API-Key": apiKey } });
  const { checks } = (await response.json()) as { checks: Record<string, boolean> };
  return {
    status: response.status,
    failing: Object.entries(checks)
      .filter(([, works]) => !works)
      .map(([name]) => name),
  };
}

/** The status a send is answered with. */
export async function trySend(
  { client }: Pick<Stand, "client">,
  { sessionId, people }: LinkedAccount,
): Promise<number> {
  return client
    .post(`/api/messages/${sessionId}/send`, { to: people[0], type: "text", message: "fault" })
    .then(
      () => 200,
      (error: unknown) => {
        if (error instanceof HubCallError) return error.status;
        throw error;
      },
    );
}
