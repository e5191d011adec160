/** Somebody writes: contacts to the account or into a group, the owner on the phone. */
import { z } from "zod";
import { contentOf, type ContentContext } from "../mail/content.ts";
import type { Envelope } from "../mail/envelope.ts";
import { newMessageId, postToEach } from "../mail/inbound.ts";
import { messageSpec, textOfSpec, type MessageTarget } from "../mail/message-spec.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import type { Group } from "../state/groups.ts";
import type { LedgerEntry } from "../state/ledger.ts";
import { addressOf, type Addressing, type Person } from "../state/people.ts";
import { groupJid } from "../wire/jid.ts";
import type { World } from "../world.ts";
import { accountOf, contactOf, groupOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

const routing = z.object({
  account: z.string().optional(),
  /** Who writes: a number, a LID or a name of the address book. Left out: its first entry. */
  from: z.string().optional(),
  /** Id of the group it is written in. */
  group: z.string().optional(),
  id: z.string().min(1).optional(),
  addressing: z.enum(["lid", "pn"]).optional(),
  /** Unix seconds. */
  at: z.number().int().optional(),
  /** Attributes of the stanza to be other than usual. */
  attributes: z.record(z.string(), z.string()).optional(),
});
export const inboundMessage = z.intersection(routing, messageSpec);
export type InboundMessage = z.input<typeof inboundMessage>;

export const typedMessage = z.intersection(
  routing.omit({ from: true }).extend({
    /** The chat: a number, a LID or a name; or `group`. */
    to: z.string().optional(),
  }),
  messageSpec,
);
export type TypedMessage = z.input<typeof typedMessage>;

export interface QueuedMessage {
  id: string;
  account: string;
  /** Devices it was queued for. */
  devices: number[];
  queuedAt: number;
}

export interface MessageOperations {
  /** A contact writes to the account (or into a group of it). */
  receive(message: InboundMessage): QueuedMessage;
  receiveAll(messages: InboundMessage[]): QueuedMessage[];
  /** The owner writes on the phone; the companion gets a copy. */
  typeOnPhone(message: TypedMessage): QueuedMessage;
}

export function messageOperations(world: World): MessageOperations {
  const receive = (message: InboundMessage): QueuedMessage => {
    const request = inboundMessage.parse(message);
    const account = accountOf(request.account, world);
    return queue(request, { account, sender: contactOf(request.from, account, world) }, world);
  };
  return {
    receive,
    receiveAll: (messages) => messages.map(receive),
    typeOnPhone(message) {
      const request = typedMessage.parse(message);
      const account = accountOf(request.account, world);
      const to = request.group === undefined ? contactOf(request.to, account, world) : undefined;
      return queue(request, { account, sender: account.owner, to }, world);
    },
  };
}

type Request = Omit<z.output<typeof routing>, "from"> & z.output<typeof messageSpec>;
interface Parties {
  account: Account;
  sender: Person;
  to?: Person | undefined;
}

function queue(request: Request, { account, sender, to }: Parties, world: World): QueuedMessage {
  if (linkedCompanions(account).length === 0)
    throw new Refusal(409, `nothing is linked to account ${account.number}`);
  const group = request.group === undefined ? undefined : memberGroup(request.group, account, sender, world);
  const addressing = request.addressing ?? group?.addressing ?? account.options.addressing;
  const content = contentOf(request, contextOf({ account, sender, to, group, addressing }, world));
  const id = request.id ?? newMessageId();
  const envelope = (receiver: Account): Envelope => ({
    id,
    account: receiver,
    sender,
    group,
    fromPhoneTo: to,
    addressing,
    ...content,
    kind: request.kind,
    text: textOfSpec(request),
    timestamp: request.at ?? Math.floor(Date.now() / 1000),
    overrides: request.attributes,
  });
  rememberAttachment(id, content.message, world);
  const receivers = group ? linkedMembers(group, world) : [account];
  return toView(id, account, postToEach(receivers.map(envelope), world));
}

/** What is written in a group reaches all accounts that are in it. */
const linkedMembers = (group: Group, { accounts }: Pick<World, "accounts">): Account[] =>
  [...accounts.values()].filter(
    (account) => group.members.has(account.number) && linkedCompanions(account).length > 0,
  );

function memberGroup(reference: string, account: Account, sender: Person, world: World): Group {
  const group = groupOf(reference, world);
  if (!group.members.has(account.number))
    throw new Refusal(409, `account ${account.number} is not in the group`);
  if (!group.members.has(sender.pn)) throw new Refusal(409, "who writes is not in the group");
  return group;
}

interface Scene extends Parties {
  group?: Group | undefined;
  addressing: Addressing;
}

/** Keys as the writer sees them: `fromMe` is theirs, `remoteJid` the chat as it is called on their side. */
function contextOf({ account, sender, to, group, addressing }: Scene, world: World): ContentContext {
  const writtenBy = (target: MessageTarget): Person => {
    if (target.author !== undefined) return world.people.get(target.author);
    const byAccount = target.fromMe ?? world.sent.has(account.number, target.id);
    if (byAccount) return account.owner;
    const entry = world.ledger.query({ account: account.number, id: target.id, limit: 1 })[0];
    return entry ? world.people.get(entry.contact) : sender;
  };
  return {
    media: world.media,
    mentionOf: (number) => addressOf(world.people.get(number), addressing),
    authorOf: (target) => addressOf(writtenBy(target), addressing),
    keyOf(target) {
      const author = writtenBy(target);
      const partner = to ?? account.owner;
      return {
        id: target.id,
        fromMe: author === sender,
        remoteJid: group ? groupJid(group.id) : addressOf(partner, addressing),
        ...(group && author !== sender ? { participant: addressOf(author, addressing) } : {}),
      };
    },
  };
}

function rememberAttachment(id: string, message: Envelope["message"], { media }: Pick<World, "media">): void {
  const attachment =
    message.imageMessage ??
    message.videoMessage ??
    message.audioMessage ??
    message.documentMessage ??
    message.stickerMessage;
  if (attachment?.mediaKey && attachment.directPath)
    media.carriedBy(id, { mediaKey: Buffer.from(attachment.mediaKey), directPath: attachment.directPath });
}

const toView = (id: string, account: Account, entries: LedgerEntry[]): QueuedMessage => ({
  id,
  account: account.number,
  devices: entries.filter((entry) => entry.account === account.number).map(({ device }) => device),
  queuedAt: entries[0]?.queuedAt ?? Date.now(),
});
