/** A URL of the configuration as logs and commands may show it: user name and password in it are secrets like any other. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = "";
  url.password = "";
  return url.href.replace(/\/+$/, "");
}
