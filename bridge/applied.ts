/** What became of an event. */
import type { HubEvent } from "../hub/contract/index.ts";

/** The words of the answer to a webhook. */
export type Action =
  "created" | "updated" | "duplicate" | "status_updated" | "qr_published" | "sync_started" | "ignored";

export interface Applied {
  action: Action;
  messageId?: string;
  /** The CRM can never take this record; it is among the failed items. */
  rejected?: string;
}

/** @throws CrmUnavailable, CrmMisconfigured, HubUnavailable: nothing is lost by applying the event again later */
export type Apply = (event: HubEvent) => Promise<Applied>;
