/** WhatsApp ids made while there is no connection to ask for one; the form is the one linked devices use. */
import { randomBytes } from "node:crypto";

const PREFIX = "3EB0";
const RANDOM_BYTES = 9;

export const offlineMessageId = (): string =>
  PREFIX + randomBytes(RANDOM_BYTES).toString("hex").toUpperCase();
