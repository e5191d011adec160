/** Brings the bridge's endpoint at the hub to what it should be. Safe to repeat: whatever was done is found done. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { parsed } from "./hub-answers.ts";
import type { Subscribed } from "./hub-client.ts";
import { at, MOST_ROWS, type Ask } from "./hub-request.ts";
import { widen } from "./own-audience.ts";
import { DESCRIPTION, hiddenAdvice, planFor, refusedAdvice, type Place, type Plan } from "./own-endpoint.ts";

const owedShape = { pending: z.number(), dead: z.number() };
const owedSchema = z.object(owedShape);

const sessionsShape = z.union([z.literal("*"), z.array(z.string())]);

const endpointsSchema = z.object({
  endpoints: z.array(
    z.object({
      id: z.string(),
      url: z.string(),
      description: z.string(),
      sessions: sessionsShape,
      events: z.array(z.string()),
      enabled: z.boolean(),
      state: z.enum(["active", "paused", "failing"]),
      ...owedShape,
      lastSuccessAt: z.string().nullable(),
      managedBy: z.enum(["session", "default"]).nullable(),
      secretFingerprints: z.array(z.string()).optional(),
      headers: z.array(z.string()).optional(),
    }),
  ),
});
const createdSchema = z.object({ id: z.string(), sessions: sessionsShape });

/** Everything, in order per chat: what the bridge needs to follow the hub closely. */
const SUBSCRIPTION = { events: ["*"], ordering: "chat", enabled: true };

export async function subscribe(place: Place, ask: Ask): Promise<Subscribed> {
  const { url, secrets } = place;
  const path = at("endpoints");
  const listed = await ask({ name: "endpoints", method: "GET", path, query: { limit: MOST_ROWS } });
  const { endpoints } = parsed("endpoints", endpointsSchema, listed);
  const plan = planFor(endpoints, place);
  const { own, isPaused, former, advice } = plan;
  const [secret] = secrets;
  // Without one the hub would make one that the bridge does not know.
  if (secret === undefined) throw new Error("a bridge without a secret is refused by its configuration");
  if (own === null) {
    const { id, sessions } = await created({ url, secret }, ask);
    const hidden = hiddenFrom(sessions, place, endpoints);
    const told = hidden === null ? advice : [...advice, hiddenAdvice(hidden)];
    return { endpointId: id, done: ["created"], advice: told, isPaused, isSettled: true };
  }
  const done = await setRight({ ...plan, id: own.id, url, secret }, ask);
  const audience = await widen(own, ask);
  if (audience === "widened" && !done.includes("updated")) done.push("updated");
  const told = audience === "refused" ? [...advice, refusedAdvice(own.id)] : advice;
  const isGone = former?.losesNothing === true && (await removed(former.id, ask));
  if (isGone) done.push("former one deleted");
  return { endpointId: own.id, done, advice: told, isPaused, isSettled: former === null || isGone };
}

async function created(
  { url, secret }: { url: string; secret: string },
  ask: Ask,
): Promise<z.output<typeof createdSchema>> {
  const body = { ...SUBSCRIPTION, url, secret, description: DESCRIPTION };
  const order = { name: "subscribe", method: "POST", path: at("endpoints"), body } as const;
  return parsed("subscribe", createdSchema, await ask({ ...order, idempotencyKey: randomUUID() }));
}

/** The one it had, which is gone or is not shown to its key any more; null: it is there, or surely gone: a key that sees all is shown all. */
function hiddenFrom(sees: "*" | string[], { known }: Place, shown: { id: string }[]): string | null {
  if (sees === "*" || known === null) return null;
  return shown.some(({ id }) => id === known.id) ? null : known.id;
}

async function setRight(
  wish: Pick<Plan, "rotates" | "moves" | "mends" | "resumes"> & { id: string; url: string; secret: string },
  ask: Ask,
): Promise<Subscribed["done"]> {
  const { id, url, secret } = wish;
  const order = (name: string, body: object): Promise<unknown> =>
    ask({ name, method: "POST", path: at("endpoints", id, name), body, idempotencyKey: randomUUID() });
  const done: Subscribed["done"] = [];
  if (wish.rotates) {
    // Before it moves: what waits for the new address leaves with the new signature.
    await order("rotate-secret", { secret });
    done.push("secret rotated");
  }
  if (wish.moves || wish.mends) {
    const body = { ...SUBSCRIPTION, ...(wish.moves ? { url } : {}) };
    await ask({ name: "subscribe", method: "PUT", path: at("endpoints", id), body });
    done.push(wish.moves ? "moved" : "updated");
  }
  if (wish.resumes) {
    // After it moved: the former address would have it paused again.
    await order("resume", {});
    done.push("resumed");
  }
  return done;
}

/** Only now the other one is told everything: what this one was told alone until then may still wait in it. */
async function removed(id: string, ask: Ask): Promise<boolean> {
  const path = at("endpoints", id);
  const owed = parsed("endpoint", owedSchema, await ask({ name: "endpoint", method: "GET", path }));
  if (owed.pending + owed.dead > 0) return false;
  await ask({ name: "unsubscribe", method: "DELETE", path });
  return true;
}
