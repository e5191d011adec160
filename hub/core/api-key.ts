/** A credential of the API: who it is, what it may do, and where. Only its SHA-256 is kept. */
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
  scopes: Scope[];
  sessions: "*" | string[];
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
}

export const defaultKeySettings: ApiKeySettings = {
  dedupeSeconds: 0,
  ratePerMinute: 1800,
  sendPerMinute: 60,
  defaultCountry: null,
  nationalDigits: null,
};
