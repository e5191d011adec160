/** Settings of keys: as they are asked for, as they are kept (secrets sealed), and as they are shown (without). */
import { z } from "zod";
import { endpointTemplateSchema, keySettingsSchema } from "../contract/administration.ts";
import type { ApiKeySettings, EndpointTemplate } from "../core/api-key.ts";
import { MANAGED_ENDPOINT } from "../outbox/endpoint-settings.ts";
import { requireScope, type Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid } from "./errors.ts";
import { given } from "./given.ts";

const { url, ...others } = endpointTemplateSchema.shape;

/** Left out: as the endpoint of a session is. A secret left out is the one before, or one for each session. */
const templateAsked = z.strictObject({
  url,
  ...z.object(others).partial().shape,
  secret: z.string().max(140).nullable().optional(),
});

export const keySettingsAsked = z.strictObject({
  ...keySettingsSchema.partial().shape,
  defaultEndpoint: templateAsked.nullable().optional(),
});

const placeOf = (keyId: string): string => `key:${keyId}:default_endpoint`;

type Reads = Pick<HttpContext, "cipher" | "endpoints">;

/**
 * What of them is to be kept. `before`: the key's settings until now, if it is there already.
 * @throws HubError `VALIDATION_ERROR`; `AUTHORIZATION_FAILED` for a caller who may set no webhooks
 */
export async function keptSettings(
  asked: z.output<typeof keySettingsAsked>,
  { keyId, before, caller }: { keyId: string; before: ApiKeySettings | null; caller: Caller },
  { cipher, endpoints }: Reads,
): Promise<Partial<ApiKeySettings>> {
  const { defaultEndpoint: template, ...settings } = asked;
  if (template === undefined) return given(settings);
  // Who hears of sessions is a matter of webhooks, also where somebody else makes them.
  requireScope(caller, "webhooks");
  if (template === null) return { ...given(settings), defaultEndpoint: null };
  const { secret, url: target, ...more } = template;
  const problems = await endpoints.problemsOf({ url: target, secret: secret ?? undefined });
  if (problems.length > 0)
    throw invalid(
      problems.map(({ path, problem }) => ({ path: `settings.defaultEndpoint.${path}`, problem })),
    );
  const sealed = (text: string): string =>
    Buffer.from(cipher.seal(placeOf(keyId), Buffer.from(text, "utf8"))).toString("base64");
  const kept: EndpointTemplate = {
    ...MANAGED_ENDPOINT,
    ...given(more),
    url: target,
    secret: typeof secret === "string" ? sealed(secret) : secretLeft(secret, before),
  };
  return { ...given(settings), defaultEndpoint: kept };
}

const secretLeft = (said: null | undefined, before: ApiKeySettings | null): string | null =>
  said === null ? null : (before?.defaultEndpoint?.secret ?? null);

/** The secret of a key's template in plain; undefined when the hub is to make one. */
export function templateSecret(
  keyId: string,
  { secret }: EndpointTemplate,
  { cipher }: Pick<Reads, "cipher">,
): string | undefined {
  if (secret === null) return undefined;
  return Buffer.from(cipher.open(placeOf(keyId), Buffer.from(secret, "base64"))).toString("utf8");
}

/** Nothing of a secret is shown, not even sealed. */
export function shownSettings({ defaultEndpoint, ...settings }: ApiKeySettings) {
  if (defaultEndpoint === null) return { ...settings, defaultEndpoint };
  const { url: target, events, ordering, ack, presets } = defaultEndpoint;
  return { ...settings, defaultEndpoint: { url: target, events, ordering, ack, presets } };
}
