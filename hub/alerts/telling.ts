/** What people and programs are told of an alert: that it began, that it lasts, that it is over. */
import { toSeconds } from "../core/clock.ts";
import type { NewEvent } from "../core/store.ts";
import type { Alert } from "./alert.ts";
import { CAUSES, type Words } from "./causes.ts";

export interface Telling {
  alert: Alert;
  phase: "began" | "lasts" | "ended";
  since: Date;
  /** When it was told; of an end, when it ended. */
  at: Date;
}

const HOUR_MS = 3_600_000;

/** `45 min`, `26 h`, `4 d`: the same in both languages. */
function lasting(ms: number): string {
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / 60_000)} min`;
  return ms < 72 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / (24 * HOUR_MS))} d`;
}

export function wordsOf({ alert, phase, since, at }: Telling): { text: Words; advice: Words } {
  const { text } = CAUSES[alert.cause];
  const advice: Words = { en: alert.advice, es: alert.adviceEs };
  const time = lasting(at.getTime() - since.getTime());
  switch (phase) {
    case "began":
      return { text, advice };
    case "lasts":
      return {
        text: { en: `Still so after ${time}: ${text.en}`, es: `Sigue así tras ${time}: ${text.es}` },
        advice,
      };
    case "ended":
      return {
        text: { en: `Over now: ${text.en}`, es: `Ya pasó: ${text.es}` },
        advice: { en: `Nothing to do: it lasted ${time}.`, es: `No hay nada que hacer: duró ${time}.` },
      };
  }
}

export function alertEvent(telling: Telling): NewEvent {
  const { cause, status, state, endpointId } = telling.alert;
  const { text, advice } = wordsOf(telling);
  const words = { text: text.en, textEs: text.es, advice: advice.en, adviceEs: advice.es };
  const data = { status, state, cause, phase: telling.phase, since: toSeconds(telling.since), ...words };
  return {
    event: "session.alert",
    chatId: null,
    data: { ...data, ...(endpointId === undefined ? {} : { endpointId }), timestamp: toSeconds(telling.at) },
    exceptClient: null,
    ...(endpointId === undefined ? {} : { exceptEndpoint: endpointId }),
    notBefore: null,
  };
}
