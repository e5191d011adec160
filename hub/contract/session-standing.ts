/** How a session stands: what it may send just now, and how its connection has done. */
import { z } from "zod";
import { blameSchema, sessionSchema, sessionSettingsSchema } from "./resources.ts";

const isoTime = z.iso.datetime();

/** A session with what it is set to, as lists and `…/status` tell it. */
export const setSessionSchema = sessionSchema.extend({ settings: sessionSettingsSchema });

/** How much the hub has of a session; what its lists count without filters. */
export const sessionTotalsSchema = z
  .object({ contacts: z.int(), chats: z.int(), messages: z.int() })
  .meta({ id: "SessionTotals" });

/** What an account may send, and what waits. */
export const sendingSchema = z
  .object({
    enabled: z.boolean(),
    waiting: z.int().describe("Messages that were accepted and have not left"),
    nextAt: isoTime.nullable().describe("When the next message may leave; null for now"),
    restricted: z
      .object({
        until: isoTime.nullable().describe("Null: WhatsApp does not say until when"),
        heldUntil: isoTime.describe(
          "Messages to strangers wait until then; a guess where WhatsApp does not say",
        ),
        type: z.string().nullable(),
      })
      .nullable()
      .describe("WhatsApp forbids new chats"),
    newChats: z.object({
      limit: z.int().nullable().describe("Of 24 hours; null for any number, or WhatsApp's own"),
      opened: z.int().describe("In the last 24 hours"),
      freeAt: isoTime.nullable().describe("When the next may be opened; null for now"),
      allowance: z
        .object({ total: z.int(), used: z.int(), until: isoTime.nullable() })
        .nullable()
        .describe("WhatsApp's own number"),
    }),
  })
  .meta({ id: "Sending" });

const timesSchema = z.object({
  count: z.int().describe("How many times of late this is made of"),
  p50: z.int().nullable(),
  p99: z.int().nullable(),
});

/** How the connection of a session has done so far. */
export const sessionFiguresSchema = z
  .object({
    attempts: z.int(),
    opened: z.int(),
    reconnects: z.int(),
    failedInARow: z.int(),
    degradedSeconds: z.int(),
    scanToConnectedMs: timesSchema,
    startToConnectedMs: timesSchema,
    unreadable: z
      .object({
        messages: z.int().describe("Could not be decrypted when they came; each is asked for again"),
        byKind: z.record(z.string(), z.int()),
        cameAfterAll: z.int(),
        storms: z.int().describe("Times that so many came at once that people were called"),
      })
      .describe("Messages that could not be decrypted"),
    lastLosses: z.array(z.object({ at: isoTime, code: z.string(), text: z.string(), blame: blameSchema })),
  })
  .meta({ id: "SessionFigures" });

/** When backups were last made and tried out, and when either last went wrong. */
const turnSchema = z.object({
  doneAt: isoTime.nullable(),
  failedAt: isoTime.nullable(),
  ageSeconds: z.int().nullable().describe("Since it last went well"),
  failing: z.boolean().describe("The last one went wrong"),
});
export const safekeepingSchema = z.object({ backup: turnSchema, drill: turnSchema });
