/** A session's connection as somebody who wants to send sees it. */
import { HubError } from "../core/errors.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";

type Link = (sessionId: string) => WhatsAppLink;

/** The connection, or null while there is none. */
export function openLink(link: Link, sessionId: string): WhatsAppLink | null {
  try {
    return link(sessionId);
  } catch (error) {
    if (isNotConnected(error)) return null;
    throw error;
  }
}

/**
 * The connection, or null in the moments after a loss in which a session still counts as connected: what is sent then
 * waits for the next connection instead of being refused.
 * @throws HubError SESSION_NOT_CONNECTED
 */
export function expectLink(link: Link, sessionId: string): WhatsAppLink | null {
  try {
    return link(sessionId);
  } catch (error) {
    if (isNotConnected(error) && error.details?.["isRecovering"] === true) return null;
    throw error;
  }
}

const isNotConnected = (error: unknown): error is HubError =>
  error instanceof HubError && error.code === "SESSION_NOT_CONNECTED";
