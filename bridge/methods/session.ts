/** Orders for one account: they call the hub, and the connection registry remembers who gave them. */
import { z } from "zod";
import type { CrmAdapter } from "../adapter.ts";
import { BridgeError, HubUnavailable } from "../errors.ts";
import type { HubClient, Ordered } from "../hub-client.ts";
import type { Session } from "../records.ts";
import { method, word, type Method } from "./method.ts";
import { sessionNamed } from "./session-name.ts";

/** What the methods need of the registry. */
export interface ConnectionOrders {
  disconnectedBy(sessionId: string, by: string, doneSeq?: number): Promise<void>;
  connectOrdered(sessionId: string, by: string, doneSeq?: number): Promise<void>;
  createOrdered(sessionId: string, by: string): Promise<void>;
}

export function sessionMethods({
  hub,
  adapter,
  connections,
}: {
  hub: HubClient;
  adapter: CrmAdapter;
  connections: ConnectionOrders;
}): Method[] {
  const named = { session_id: word };
  const find = async (name: string): Promise<string> =>
    (await sessionNamed(name, { hub, adapter })).sessionId;
  const answered = (data: Session) => ({ success: true, data });
  /** Noted once the hub did it; the registry also gives the name to a disconnection that it was told a moment before. */
  const ending = (name: string, act: (sessionId: string) => Promise<Ordered<Session>>): Method =>
    method({
      name,
      role: "admin",
      args: named,
      run: async ({ session_id: given }, { caller }) => {
        const sessionId = await find(given);
        const { latestSeq, ...session } = await act(sessionId);
        await connections.disconnectedBy(sessionId, caller, latestSeq);
        return answered(session);
      },
    });

  return [
    method({
      name: "api.session.get_session_status",
      role: "read",
      args: named,
      run: async ({ session_id: given }) => answered(await sessionNamed(given, { hub, adapter })),
    }),
    method({
      name: "api.session.create_session",
      role: "admin",
      args: { session_id: word, session_name: word.optional() },
      run: async ({ session_id: sessionId, session_name: sessionName }, { caller }) => {
        const session = await hub.createSession({ sessionId, sessionName });
        await connections.createOrdered(sessionId, caller);
        return answered(session);
      },
    }),
    method({
      name: "api.session.connect",
      role: "admin",
      args: named,
      run: async ({ session_id: given }, { caller }) => {
        const sessionId = await find(given);
        const { latestSeq, ...session } = await hub.connect(sessionId);
        await connections.connectOrdered(sessionId, caller, latestSeq);
        return answered(session);
      },
    }),
    method({
      name: "api.session.get_qr_code",
      // Whoever sees it can link a phone to the account.
      role: "admin",
      isSafe: true,
      args: named,
      run: async ({ session_id: given }) => {
        const sessionId = await find(given);
        try {
          return { success: true, data: await hub.qrCode(sessionId) };
        } catch (cause) {
          throw (await isAtRest(sessionId, cause, hub)) ? notBegun(cause) : cause;
        }
      },
    }),
    method({
      name: "api.session.get_pairing_code",
      // Whoever reads it can link a phone to the account, and asking for it begins the linking.
      role: "admin",
      args: { ...named, phone_number: phoneNumber.optional() },
      run: async ({ session_id: given, phone_number: number }, { caller }) => {
        const sessionId = await find(given);
        const { latestSeq, ...data } = await hub.pairingCode(sessionId, number);
        await connections.connectOrdered(sessionId, caller, latestSeq);
        return { success: true, data };
      },
    }),
    ending("api.session.disconnect", (sessionId) => hub.disconnect(sessionId)),
    ending("api.session.logout", (sessionId) => hub.logout(sessionId)),
  ];
}

/** As people write it → its digits. */
const phoneNumber = word
  .transform((text) => text.replace(/[\s+().-]/g, ""))
  .pipe(z.string().regex(/^\d{6,15}$/, "use the digits of the phone number, with its country code"));

/** No code is on show, and none will be by itself: nobody is connecting the account. */
async function isAtRest(sessionId: string, cause: unknown, hub: HubClient): Promise<boolean> {
  if (!(cause instanceof HubUnavailable) || cause.code !== "QR_NOT_READY") return false;
  const { status } = (await hub.session(sessionId)).session;
  return status === "disconnected" || status === "error";
}

const notBegun = (cause: unknown): BridgeError =>
  new BridgeError(
    "SESSION_NOT_CONNECTED",
    "There is no code because nobody is connecting this session: call connect first, then ask again.",
    { cause },
  );
