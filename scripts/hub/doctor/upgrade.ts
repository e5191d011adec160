/** The last step of the way to WhatsApp: its WebSocket, opened as the hub opens it, and closed at once. */
import WebSocket from "ws";
import { codeOf, fine, problem, type Check } from "./check.ts";

/** As the hub says where it comes from; WhatsApp takes nobody who says otherwise. */
const ORIGIN = "https://web.whatsapp.com";
const TIMEOUT_MS = 8_000;

export function checkUpgrade(name: string, url: URL, { timeoutMs = TIMEOUT_MS } = {}): Promise<Check> {
  const what = `${name}: WebSocket`;
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { origin: ORIGIN });
    const end = (check: Check): void => {
      clearTimeout(timer);
      resolve(check);
      socket.terminate();
    };
    const timer = setTimeout(
      () =>
        end(
          problem(
            what,
            `no answer within ${timeoutMs / 1000} s`,
            `Something on the way takes connections and passes nothing on (a proxy, a firewall that looks into them): let ${url.host} through as it is.`,
          ),
        ),
      timeoutMs,
    );
    socket.once("open", () => end(fine(what, "opens")));
    socket.once("unexpected-response", (_request, { statusCode = 0 }) =>
      end(problem(what, `HTTP ${statusCode} in place of a WebSocket`, adviceFor(statusCode, url.host))),
    );
    // Stays: ending a socket that is not open yet is an error of its own, which nobody needs.
    socket.on("error", (error) =>
      end(
        problem(
          what,
          codeOf(error),
          `The connection is broken off on the way: let WebSockets to ${url.host} through (firewall, proxy).`,
        ),
      ),
    );
  });
}

function adviceFor(status: number, host: string): string {
  if (status === 429) return "Too many connections come from this address: wait some minutes.";
  if (status >= 500)
    return "WhatsApp, or a proxy on the way to it, cannot do it now; the hub tries again by itself. If it stays so, look at the proxy.";
  return `What answers there takes no WebSockets: let ${host} through as it is (proxy, filter), and check WA_WEB_SOCKET_URL if it is set.`;
}
