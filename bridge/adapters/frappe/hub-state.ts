/**
 * What the bridge must remember about a record and the site has no field for: one hidden JSON field, made by `prepare`.
 * A site without it works by the rules that need no memory.
 */
import { z } from "zod";
import { messageStatusSchema } from "../../../hub/contract/index.ts";
import type { Position } from "../../adapter.ts";

export const STATE_FIELD = "hub_state";

const position = z.number().nullable();

const hubStateSchema = z.object({
  /** `seq` of the newest state of the hub this record shows. */
  position: z.number().optional(),
  /** Of a contact: the hidden ids it once had, each `<session>|<id>`. */
  lids: z.array(z.string()).optional(),
  /** At which position each of them was told. */
  lidsAt: z.record(z.string(), z.number()).optional(),
  /** Of a conversation: the position at which its last message was told. */
  lastPosition: z.number().optional(),
  /** Of a message kept under another id than its own: its own. */
  id: z.string().optional(),
  /** The message's status: the site itself shows every incoming message as delivered. */
  status: messageStatusSchema.optional(),
  statusPosition: position.optional(),
  editedAt: z.number().optional(),
  /** The position of that edit: of two within one second the later told one counts. */
  editPosition: z.number().optional(),
  participant: z.string().optional(),
  /** The file the site was told of: lists do not show child tables. Events do not know its id. */
  mediaUrl: z.string().optional(),
  mediaId: z.string().optional(),
  /** Its bytes are in the site. */
  isCopied: z.boolean().optional(),
  /** One per person; one that was taken back stays as an empty one, so that an older one does not return. */
  reactions: z.array(z.object({ from: z.string(), emoji: z.string(), at: z.number(), position })).optional(),
});
export type HubState = z.infer<typeof hubStateSchema>;

export function readState(value: unknown): HubState {
  if (typeof value !== "string" || value === "") return {};
  try {
    return hubStateSchema.safeParse(JSON.parse(value)).data ?? {};
  } catch {
    return {}; // a person wrote into the field: it is filled anew by the next write
  }
}

export const writeState = (state: HubState): string => JSON.stringify(state);

export const isSameState = (one: HubState, other: HubState): boolean => writeState(one) === writeState(other);

/** Of a contact that has this hidden id as well. */
export function withLid(state: HubState, mark: string, position: Position): HubState {
  const lids = [...new Set([...(state.lids ?? []), mark])];
  if (position === null) return { ...state, lids };
  const at = Math.max(state.lidsAt?.[mark] ?? position, position);
  return { ...state, lids, lidsAt: { ...state.lidsAt, [mark]: at } };
}

export function withoutLid(state: HubState, mark: string): HubState {
  const lids = (state.lids ?? []).filter((one) => one !== mark);
  if (state.lidsAt === undefined) return { ...state, lids };
  const lidsAt = Object.fromEntries(Object.entries(state.lidsAt).filter(([one]) => one !== mark));
  return { ...state, lids, lidsAt };
}
