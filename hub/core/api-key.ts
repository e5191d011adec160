/** A credential of the API: who it is, what it may do, and where. Only its SHA-256 is kept. */
import type { Endpoint } from "./endpoint.ts";
import type { JidForm } from "./jid.ts";

export const SCOPES = ["read", "send", "media", "webhooks", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiKey {
  /** `key_…` */
  id: string;
  name: string;
  /** Hex SHA-256 of the key as the caller writes it. */
  hash: string;
  /** The hash before the last rotation, while it is still accepted. */
  previous: { hash: string; until: Date } | null;
  /** Of the HUB_API_KEY that became this key, whatever its own hash is by now; null: it is not the operator's. */
  operatorHash: string | null;
  scopes: Scope[];
  sessions: "*" | string[];
  /** Where calls with it may come from; empty: from anywhere. */
  allowedCidrs: string[];
  /** Keys with the same label are one client. */
  client: string;
  settings: ApiKeySettings;
  expiresAt: Date | null;
  createdAt: Date;
}

export interface ApiKeySettings {
  dedupeSeconds: number;
  ratePerMinute: number;
  sendPerMinute: number;
  defaultCountry: string | null;
  nationalDigits: number | null;
  /** How the sessions it makes name people; null: as the hub is set to. */
  jidForm: JidForm | null;
  /** Who hears of the sessions it makes for a Frappe site that names no webhook itself. */
  defaultEndpoint: EndpointTemplate | null;
}

/** What an endpoint of a session will be like. */
export interface EndpointTemplate extends Pick<Endpoint, "url" | "events" | "ordering" | "ack" | "presets"> {
  /** Sealed, in base64; null: the hub makes one for each session. */
  secret: string | null;
}

/** Who calls, as far as anything depends on it: a key, or a person in a key's place. */
export type Credential = Pick<
  ApiKey,
  "id" | "name" | "scopes" | "sessions" | "allowedCidrs" | "client" | "settings"
>;

export const defaultKeySettings: ApiKeySettings = {
  dedupeSeconds: 0,
  ratePerMinute: 1800,
  sendPerMinute: 60,
  defaultCountry: null,
  nationalDigits: null,
  jidForm: null,
  defaultEndpoint: null,
};
