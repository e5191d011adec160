/** A web server that hands out one file the way a test wants it: well, slowly, endlessly, or not at all. */
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export interface FileServer {
  url: string;
  /** How often it was asked. */
  requests: number;
  /** Nobody listens at its address any more. */
  close(): Promise<void>;
  /** It is back at its address. */
  openAgain(): Promise<void>;
}

export async function serveFile(listener: RequestListener): Promise<FileServer> {
  const server = createServer((request, response) => {
    served.requests++;
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const served: FileServer = {
    url: `http://127.0.0.1:${port}`,
    requests: 0,
    close: async () => {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
    openAgain: async () => {
      if (server.listening) return;
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
  };
  return served;
}

export const sends =
  (file: Buffer, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-length": file.length, ...headers });
    response.end(file);
  };
