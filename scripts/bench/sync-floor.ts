/**
 * The floor of a sync, in a process of its own: the same pages, one GET after the other over one connection. Each answer is read
 * and parsed; nothing is checked, kept or told.
 */
import http from "node:http";

interface Answer {
  data: { pagination: { nextCursor: string | null }; chats?: { chatId: string }[] };
}

const [url = "", key = "", session = "", ...sizes] = process.argv.slice(2);
const [page = 0, contacts = 0, chats = 0, messageChats = 0, messagesPerChat = 0] = sizes.map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const get = (path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = http.get(`${url}${path}`, { agent, headers: { "x-api-key": key } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200)
          resolve(JSON.parse(text) as Answer); // the hub's own shape
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    });
    request.on("error", reject);
  });

async function pages(path: string, most: number): Promise<Answer["data"][]> {
  const all: Answer["data"][] = [];
  let cursor: string | null = "";
  for (let left = most; left > 0 && cursor !== null; left -= page) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { data } = await get(`${path}?limit=${Math.min(page, left)}${after}`);
    all.push(data);
    cursor = data.pagination.nextCursor;
  }
  return all;
}

const startedAt = performance.now();
await pages(`/api/contacts/${session}`, contacts);
const lists = await pages(`/api/messages/${session}/chats`, chats);
const chosen = lists.flatMap((list) => list.chats ?? []).slice(0, messageChats);
for (const { chatId } of chosen)
  await pages(`/api/messages/${session}/${encodeURIComponent(chatId)}`, messagesPerChat);
const seconds = (performance.now() - startedAt) / 1000;
agent.destroy();
process.send?.({ seconds });
