/** A mail server of this machine: keeps the letters it takes, or takes none. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { onTestFinished } from "vitest";

export interface MailServer {
  url: string;
  letters: string[];
  /** While true it takes nothing. */
  refuses: boolean;
}

/** It ends with the test. */
export async function startMailServer(): Promise<MailServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onMailFrom: (_address, _session, done) => done(mail.refuses ? new Error("not now") : null),
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        mail.letters.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  const mail: MailServer = { url: "", letters: [], refuses: false };
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  // Of a server that listens on a port.
  const { port } = server.server.address() as AddressInfo;
  mail.url = `smtp://127.0.0.1:${port}`;
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return mail;
}
