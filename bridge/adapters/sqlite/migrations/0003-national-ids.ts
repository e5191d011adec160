/** Clients are found by their national id however a person wrote it: an index over what is left without separators. */

const SEPARATORS = [".", " ", "\t", "\n", "\u00a0"];
const DASHES = ["\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015", "\u2212"];

/** Made of functions that every SQLite has: other programs write this table too. */
export const NATIONAL_ID_KEY = `upper(${[
  ...SEPARATORS.map((one) => ({ one, by: "" })),
  ...DASHES.map((one) => ({ one, by: "-" })),
].reduce((text, { one, by }) => `replace(${text}, '${one}', '${by}')`, "national_id")})`;

export const nationalIds = `
CREATE INDEX IF NOT EXISTS whatsapp_client_national_id_key ON whatsapp_client(${NATIONAL_ID_KEY});
`;
