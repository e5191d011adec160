/** File names from outside, made harmless: a name is shown and sent, never used as a path. */
const MAX_LENGTH = 200;

/** Without folders, control characters and direction marks; `fallback` when nothing is left. */
export function cleanFilename(written: string | null, fallback: string): string {
  const last = (written ?? "").split(/[\\/]/).at(-1) ?? "";
  const visible = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"|?*]/gu, "").trim();
  const name = visible.replace(/^\.+/, "");
  return name === "" ? fallback : shortened(name);
}

/** Adds the extension of the content when the name has none. */
export function withExtension(name: string, extension: string): string {
  return extension === "" || /\.[A-Za-z0-9]{1,8}$/.test(name) ? name : `${name}.${extension}`;
}

function shortened(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 10 ? name.slice(dot) : "";
  return name.slice(0, MAX_LENGTH - extension.length) + extension;
}
