/** The way of e-mails: one SMTP server, as the operator named it. */
import { createTransport } from "nodemailer";
import type { Letter } from "./letter.ts";

export interface Mailer {
  /** Fails when the server did not take it. */
  send(letter: Letter): Promise<void>;
  close(): void;
}

export interface MailSettings {
  /** `smtp://` or `smtps://`, with name and password where they are needed. */
  url: string;
  from: string;
  to: string[];
}

const PATIENCE_MS = 15_000;

export function createMailer({ url, from, to }: MailSettings): Mailer {
  const transport = createTransport({
    url,
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    // A letter of ours is text alone.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async ({ subject, text }) => {
      await transport.sendMail({ from, to, subject, text, headers: { "Auto-Submitted": "auto-generated" } });
    },
    close: () => transport.close(),
  };
}
