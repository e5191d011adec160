/** The card of a person named by the caller, in the form WhatsApp shows as a contact. */

/** Line breaks and separators would end a property early and begin one of the caller's choice. */
const escaped = (text: string): string =>
  text
    .replace(/\\/g, "\\\\")
    .replace(/\r\n?|\n/g, "\\n")
    .replace(/([,;])/g, "\\$1");

export function vcardOf({ name, phone }: { name: string; phone: string }): string {
  const digits = phone.replace(/\D/g, "");
  return [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `N:${escaped(name)};;;;`,
    `FN:${escaped(name)}`,
    `TEL;type=CELL;type=VOICE;waid=${digits}:+${digits}`,
    "END:VCARD",
  ].join("\n");
}

/** The name a ready card shows. */
export function nameIn(vcard: string): string | null {
  const name = /^FN[^:\r\n]*:(.*)$/im.exec(vcard)?.[1]?.trim() ?? "";
  return name === "" ? null : name.replace(/\\n/g, " ").replace(/\\(.)/g, "$1");
}
