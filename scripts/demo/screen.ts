/** What the demo shows a person: headings, facts, a line of progress that renews itself on a terminal. */
import QRCode from "qrcode";

const live = process.stdout.isTTY;
const paint = (code: number, text: string): string => (live ? `\u001b[${code}m${text}\u001b[0m` : text);

export interface Screen {
  heading(text: string): void;
  fact(name: string, value: string | number): void;
  good(text: string): void;
  bad(text: string): void;
  /** A line that the next `progress` replaces. */
  progress(text: string): void;
  qr(code: string): Promise<void>;
}

export function createScreen(
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Screen {
  let open = false;
  const line = (text: string): void => {
    write(open ? `\n${text}\n` : `${text}\n`);
    open = false;
  };
  return {
    heading: (text) => line(`\n${paint(1, text)}`),
    fact: (name, value) => line(`  ${name.padEnd(22)} ${value}`),
    good: (text) => line(`  ${paint(32, "✔")} ${text}`),
    bad: (text) => line(`  ${paint(31, "✖")} ${text}`),
    progress: (text) => {
      if (!live) return;
      write(`\r\u001b[2K  ${text}`);
      open = true;
    },
    qr: async (code) => line(await QRCode.toString(code, { type: "terminal", small: true })),
  };
}
