/**
 * Where files of WhatsApp lie: in https, on hosts of its own. Who writes to an account names such places as well, and would
 * otherwise choose what the hub connects to: a router, a cloud's metadata, a neighbour.
 */

const DOMAIN = "whatsapp.net";
/** Without a host, and nothing that a host could be read out of. */
const DIRECT_PATH = /^\/[^/\\@]/;
/** Node's own place of what `fetch` connects with. */
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

/** What a message, or a piece of history, says of its file. */
interface FilePlaces {
  url?: string | null;
  directPath?: string | null;
}

export function isWhatsAppUrl(written: string): boolean {
  if (!URL.canParse(written)) return false;
  const { protocol, hostname, port, username, password } = new URL(written);
  const isOwnHost = hostname === DOMAIN || hostname.endsWith(`.${DOMAIN}`);
  return protocol === "https:" && isOwnHost && port === "" && username === "" && password === "";
}

/** Takes out of it what is not at WhatsApp; false when nothing is left. */
export function keepPlacesAtWhatsApp(file: FilePlaces): boolean {
  if (!isWhatsAppUrl(file.url ?? "")) file.url = "";
  if (!DIRECT_PATH.test(file.directPath ?? "")) file.directPath = "";
  return file.url !== "" || file.directPath !== "";
}

type Dispatcher = NonNullable<RequestInit["dispatcher"]>;

/** Node's own, whatever it is by now, but to WhatsApp's hosts only. `fetch` comes here for each redirect as well. */
const dispatch: Dispatcher["dispatch"] = (options, handler) => {
  if (!isWhatsAppUrl(String(options.origin))) throw new Error("a file of WhatsApp is said to lie elsewhere");
  const node: unknown = Reflect.get(globalThis, DISPATCHER);
  if (!isDispatcher(node)) throw new Error("this version of Node connects in another way");
  return node.dispatch(options, handler);
};

const isDispatcher = (value: unknown): value is Dispatcher =>
  typeof value === "object" && value !== null && "dispatch" in value && typeof value.dispatch === "function";

/**
 * For everything that the library fetches: files, history, the account's synced state. Its `fetch` uses this one method of a
 * dispatcher and no other.
 */
export const ONLY_WHATSAPP: Readonly<RequestInit> = Object.freeze({
  dispatcher: { dispatch } as unknown as Dispatcher,
});
