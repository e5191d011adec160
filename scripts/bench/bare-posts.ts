/** The floor of the outbox: posts by nothing but node:http, so many at a time. Nothing is stored, ordered or tried again. */
import http from "node:http";

export interface BarePost {
  body: Buffer;
  headers: Record<string, string>;
}

export async function bareSeconds(
  posts: BarePost[],
  { url, concurrency }: { url: URL; concurrency: number },
): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  let next = 0;
  const loop = async (): Promise<void> => {
    for (let one = posts[next++]; one !== undefined; one = posts[next++]) await post(url, agent, one);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, loop));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return seconds;
}

const post = (url: URL, agent: http.Agent, { body, headers }: BarePost): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    request.on("error", reject);
    request.end(body);
  });
