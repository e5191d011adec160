/** How a query is answered: with children, with an error, or (a fault) not at all. */
import type { Companion } from "../state/companion.ts";
import { FROM_SERVER } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";

export interface IqRequest {
  iq: Stanza;
  /** First child: what is asked. */
  query: Stanza;
  companion: Companion;
}

export interface IqError {
  code: number;
  text: string;
}

export type IqHandler = (request: IqRequest, world: World) => Stanza[] | IqError;

export const OK: Stanza[] = [];
export const iqError = (code: number, text: string): IqError => ({ code, text });

export function toStanza(iq: Stanza, answer: Stanza[] | IqError): Stanza {
  const to = iq.attrs["to"];
  const from = to === undefined || to.startsWith("@s.") || to === "s.whatsapp.net" ? FROM_SERVER : to;
  const id = iq.attrs["id"];
  if (Array.isArray(answer))
    return stanza("iq", { from, type: "result", id }, answer.length > 0 ? answer : undefined);
  return stanza("iq", { from, type: "error", id }, [
    stanza("error", { code: answer.code, text: answer.text }),
  ]);
}
