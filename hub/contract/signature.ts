/** Placeholder header replaced by the owner of this file. */
export const PRESETS = ["hub256", "waha", "frappe", "spatie"] as const;
export type Preset = (typeof PRESETS)[number];
