/** Where a text stops being JSON, told without a word of it. Pure. */

/** For a text that `JSON.parse` refuses, whatever space is around it; the place is one in the whole of it. */
export function jsonProblem(whole: string): string {
  const text = whole.trim();
  const before = whole.slice(0, whole.length - whole.trimStart().length);
  // The longest beginning that could still become JSON; what it is refused for lies after it.
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (mayGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  if (good === text.length) return "it ends too early";
  const lines = (before + text.slice(0, good)).split("\n");
  return `look at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** Whether more text could make it JSON: it is, or what is wrong with it is that it ends. */
function mayGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : "";
    if (/end of JSON|Unterminated/.test(said)) return true;
    const [, position] = /at position (\d+)/.exec(said) ?? [];
    return Number(position) >= beginning.length;
  }
}
