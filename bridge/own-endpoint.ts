/** Decides what the bridge's place among the hub's endpoints needs. Pure. */
import { secretFingerprint } from "../hub/contract/index.ts";

/** What counts of an endpoint as the hub shows it. */
export interface ShownEndpoint {
  id: string;
  url: string;
  description: string;
  sessions: "*" | string[];
  events: string[];
  enabled: boolean;
  state: "active" | "paused" | "failing";
  /** Of what it is owed: what waits, and what was given up and can be sent again. */
  pending: number;
  dead: number;
  lastSuccessAt: string | null;
  managedBy: "session" | "default" | null;
  /** Of the secrets that sign now, the newest first; undefined: a hub of before does not tell them. */
  secretFingerprints?: string[] | undefined;
  /** Names of its own headers. */
  headers?: string[] | undefined;
}

/** Where the bridge is to be called, signed how, and which endpoint it had. */
export interface Place {
  url: string;
  /** Accepted now; the first is the one that stays. */
  secrets: string[];
  /** The endpoint it had last, the addresses it gave it, the newest first, and when it last looked; null: nobody remembers. */
  known: { id: string; urls: string[]; lookedAt?: string | null } | null;
}

export interface Plan {
  /** The bridge's own; null: it has none yet. */
  own: ShownEndpoint | null;
  rotates: boolean;
  moves: boolean;
  /** It is told less than everything. */
  mends: boolean;
  /** It was paused where it was, by the answer 410 or a person: where it is now it begins again. */
  resumes: boolean;
  /** It stays as a person, or a 410 of this address, left it. */
  isPaused: boolean;
  /** The one it had, at an address of before, while another one has its place; null: there is none. */
  former: { id: string; losesNothing: boolean } | null;
  advice: string[];
}

/** By this its endpoints are recognised by people; the bridge itself goes by their ids. */
export const DESCRIPTION = "Inbox Hub bridge";

/** A bridge looks every five minutes; what is delivered later than this after its last look is taken by another one. */
const ALIVE_MS = 15 * 60_000;

export function planFor(all: ShownEndpoint[], place: Place): Plan {
  const endpoints = all.filter((one) => !isLeftBehind(one));
  const had = hadOf(endpoints, place);
  const isCopy = had !== null && isAnothers(had, place);
  const former = isCopy ? null : had;
  const own = ownOf(endpoints, { url: place.url, had: former });
  const advice = [
    ...(isCopy ? [copyAdvice(had.id)] : []),
    ...othersAdvice(endpoints, { url: place.url, own }),
  ];
  if (own !== null) return planWith({ own, former: former === own ? null : former, advice }, place);
  const nothing = { rotates: false, moves: false, mends: false, resumes: false, isPaused: false };
  return { own, ...nothing, former: null, advice: [...advice, ...lostAdvice(endpoints, place)] };
}

function planWith(
  { own, former, advice }: { own: ShownEndpoint; former: ShownEndpoint | null; advice: string[] },
  { url, secrets, known }: Place,
): Plan {
  const secret = secretPlan(own, secrets);
  const moves = own.url !== url;
  // Moved by a look that ended before it was resumed: the address is not among those it gave it.
  const isNewHere = moves || (own.id === known?.id && known.urls[0] !== url);
  const isPaused = own.state === "paused" && !isNewHere;
  const goes = former !== null && losesNothing(former, own);
  return {
    ...{ own, rotates: secret.rotates, moves },
    mends: !own.enabled || !own.events.includes("*"),
    resumes: own.state === "paused" && isNewHere,
    isPaused,
    former: former && { id: former.id, losesNothing: goes },
    advice: [
      ...secret.advice,
      ...(isPaused ? [pausedAdvice(own.id)] : []),
      ...lessAdvice(own, url),
      ...(former === null || goes ? [] : [besideAdvice(former.id)]),
      ...advice,
    ],
  };
}

/** The one it had, at an address that it gave it: one that is elsewhere was taken there by somebody else, maybe another bridge. */
function hadOf(endpoints: ShownEndpoint[], { url, known }: Place): ShownEndpoint | null {
  const had = endpoints.find(({ id }) => id === known?.id);
  // The hub would take its own back at its next start.
  const addresses = had?.managedBy === null ? [url, ...(known?.urls ?? [])] : [url];
  return had !== undefined && addresses.includes(had.url) ? had : null;
}

/** Somebody lives at the former address: this bridge has a copy of that one's data folder, unless it is no bridge that answers. */
const isAnothers = (had: ShownEndpoint, { url, known }: Place): boolean =>
  had.url !== url &&
  typeof known?.lookedAt === "string" &&
  had.lastSuccessAt !== null &&
  Date.parse(had.lastSuccessAt) > Date.parse(known.lookedAt) + ALIVE_MS;

/** What a HUB_WEBHOOK_URL that was taken out leaves: each start of the hub takes it out of use again. */
const isLeftBehind = ({ managedBy, enabled }: ShownEndpoint): boolean => managedBy === "default" && !enabled;

/** The one at its address, whoever made it, but for those of single sessions: with a second one it would be told everything twice. */
function ownOf(
  endpoints: ShownEndpoint[],
  { url, had }: { url: string; had: ShownEndpoint | null },
): ShownEndpoint | null {
  if (had?.url === url) return had;
  return endpoints.find((one) => one.url === url && one.managedBy !== "session") ?? had;
}

/** The one it had goes where the bridge made it, nobody waits for anything in it, and all it is told the other one is told too. */
const losesNothing = (had: ShownEndpoint, own: ShownEndpoint): boolean =>
  had.managedBy === null &&
  had.description === DESCRIPTION &&
  had.pending === 0 &&
  had.dead === 0 &&
  own.state !== "paused" &&
  (own.sessions === "*" || (had.sessions !== "*" && had.sessions.every((id) => own.sessions.includes(id))));

/** What it is not told, and what is not sent along. */
const lessAdvice = (own: ShownEndpoint, url: string): string[] => [
  ...(hearsAll(own) ? [] : [someSessionsAdvice(own.id)]),
  ...headersAdvice(own, url),
];

/** One that the bridge made is for the sessions that its key sees. */
export const isForKey = ({ managedBy, description }: ShownEndpoint): boolean =>
  managedBy === null && description === DESCRIPTION;

const hearsAll = (own: ShownEndpoint): boolean => own.sessions === "*" || isForKey(own);

/** The hub takes them from an endpoint that moves to another server. */
function headersAdvice({ id, url: former, headers = [] }: ShownEndpoint, url: string): string[] {
  if (headers.length === 0 || new URL(former).origin === new URL(url).origin) return [];
  return [
    `The bridge's endpoint moved to another server or port, and the hub took its own headers from it (${headers.join(", ")}). ` +
      `Where something before the bridge needs them, give them again (PUT /api/endpoints/${id} with headers).`,
  ];
}

function secretPlan(own: ShownEndpoint, secrets: string[]): Pick<Plan, "rotates" | "advice"> {
  const [now, ...before] = own.secretFingerprints ?? [];
  const [wanted, ...others] = secrets.map((secret) => secretFingerprint(own.id, secret));
  if (own.secretFingerprints === undefined || now === wanted) return { rotates: false, advice: [] };
  // The hub's own configuration would take it back at the hub's next start.
  if (own.managedBy === "default") return { rotates: false, advice: [HUBS_OWN] };
  const accepted = [wanted, ...others];
  // Somebody rotated it at the hub, and what it signs is still accepted: that is how a secret is replaced.
  const isBeingReplaced = !accepted.includes(now) && before.some((one) => accepted.includes(one));
  return isBeingReplaced ? { rotates: false, advice: [BEING_REPLACED] } : { rotates: true, advice: [] };
}

function lostAdvice(endpoints: ShownEndpoint[], place: Place): string[] {
  if (place.known === null) return formerAdvice(endpoints, place);
  const isHubs = ({ id, managedBy }: ShownEndpoint) => id === place.known?.id && managedBy === "default";
  return endpoints.some(isHubs) ? [HUBS_FORMER] : [];
}

/** Who lost its memory and has another address cannot tell its former endpoint from another bridge's. */
function formerAdvice(endpoints: ShownEndpoint[], { secrets }: Place): string[] {
  const isLike = ({ id, description, enabled, managedBy, secretFingerprints = [] }: ShownEndpoint): boolean =>
    enabled &&
    managedBy === null &&
    description === DESCRIPTION &&
    secrets.some((secret) => secretFingerprints.includes(secretFingerprint(id, secret)));
  const ids = endpoints.filter(isLike).map(({ id }) => id);
  if (ids.length === 0) return [];
  return [
    `The hub has another endpoint of a bridge with this secret (${ids.join(", ")}). If no other bridge uses it, it is this ` +
      "bridge's former one: delete it at the hub, or its events wait there for ever.",
  ];
}

/** Another one at its address, for single sessions too: what both are told comes twice. */
function othersAdvice(
  endpoints: ShownEndpoint[],
  { url, own }: { url: string; own: ShownEndpoint | null },
): string[] {
  const ids = endpoints
    .filter((one) => one.url === url && one.enabled && one.id !== own?.id)
    .map(({ id }) => id);
  if (ids.length === 0) return [];
  return [
    `The hub has other endpoints with this URL (${ids.join(", ")}): what they are told comes twice. Delete them, or take the URL ` +
      "from the session or the HUB_WEBHOOK_URL that they belong to.",
  ];
}

const copyAdvice = (id: string): string =>
  `The endpoint in this bridge's data folder (${id}) has been told of events at its former address since this bridge last looked: ` +
  "the folder is a copy of a running bridge's, or something else answers at the former address (a proxy's page). That endpoint is left " +
  "alone, and this bridge has a new one, the endpointId of this line. If no other bridge is there, have what waits in the former one sent " +
  `here: give it this bridge's URL (PUT /api/endpoints/${id} with url), delete the new one (DELETE /api/endpoints/{endpointId}), and ` +
  "send again what was given up (POST /api/deliveries/replay with its endpointId and state dead). What was answered with 2xx there " +
  "the bridge reads by the feed.";

const someSessionsAdvice = (id: string): string =>
  `The bridge's endpoint at the hub (${id}), which somebody else made, hears only some sessions: events of the others arrive by the ` +
  `feed, minutes later. Have it hear all (PUT /api/endpoints/${id} with sessions "*"), or delete it, and the bridge makes its own.`;

/** What became of the endpoint it had, where the key sees some sessions only and this one not any more. */
export const hiddenAdvice = (id: string): string =>
  `The hub shows this bridge's endpoint of before (${id}) no more. If nobody deleted it, the bridge's key sees fewer sessions than it ` +
  "did: that endpoint is called on as before, with events of the others too. Delete it with a key that sees all it hears " +
  `(DELETE /api/endpoints/${id}).`;

export const refusedAdvice = (id: string): string =>
  `The bridge's endpoint at the hub (${id}) hears only some of the sessions that the bridge's key sees, and the hub refuses the key ` +
  "to change that: events of the others arrive by the feed, minutes later. Have it hear them with a key that has the scope admin " +
  `(PUT /api/endpoints/${id} with sessions), or delete it, and the bridge makes its own.`;

const pausedAdvice = (id: string): string =>
  "The bridge's endpoint at the hub is paused, by a person or because this address answered 410: no webhook comes, and events " +
  `arrive by the feed, minutes later. When they are to come again, resume it (POST /api/endpoints/${id}/resume).`;

const besideAdvice = (id: string): string =>
  `The hub still has the endpoint that this bridge had at a former address (${id}) beside the one here. It is not deleted by itself, ` +
  `because something waits in it or it is told more: look at it, and delete it (DELETE /api/endpoints/${id}). What waits there ` +
  "the bridge reads by the feed.";

const HUBS_OWN =
  "The hub's HUB_WEBHOOK_URL is this bridge, and HUB_WEBHOOK_SECRET is not BRIDGE_WEBHOOK_SECRET: webhooks are refused. Write " +
  "the same secret into both and restart hub and bridge.";

const HUBS_FORMER =
  "The hub's HUB_WEBHOOK_URL is this bridge's former address: change it, or take it out, and restart the hub.";

const BEING_REPLACED =
  "The secret of this bridge's endpoint was replaced at the hub; the one from before is valid there for a day. Write the new " +
  "one into BRIDGE_WEBHOOK_SECRET within that time and restart the bridge, or the bridge puts its own back.";
