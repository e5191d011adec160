/** Profile pictures (`w:profile:picture`). Baileys rc14 reads `url`; no picture is error 404, a hidden one 401. */
import { isGroupJid } from "../wire/jid.ts";
import { bytesOf, stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { mediaUrl } from "../media/media-store.ts";
import { iqError, OK, type IqHandler } from "./answer.ts";

/** Pictures are served as they are, not encrypted. */
const picturePath = (pictureId: string): string => `/v/t61.24694-24/${pictureId}.jpg`;

type Pictured = { pictureId?: string | undefined };

export function setPicture(owner: Pictured, image: Buffer, { media }: Pick<World, "media">): void {
  owner.pictureId = String(Date.now() * 1000 + Math.floor(Math.random() * 1000));
  media.putBlob(picturePath(owner.pictureId), image);
}

export const fetchPicture: IqHandler = ({ iq, query }, world) => {
  const owner = pictured(iq.attrs["target"] ?? "", world);
  if (!owner?.pictureId) return iqError(404, "item-not-found");
  const path = picturePath(owner.pictureId);
  return [
    stanza("picture", {
      id: owner.pictureId,
      type: query.attrs["type"] ?? "preview",
      url: mediaUrl(path),
      direct_path: path,
    }),
  ];
};

export const changePicture: IqHandler = ({ iq, query, companion: { account } }, world) => {
  const target = iq.attrs["target"];
  const owner = target === undefined ? account.owner : pictured(target, world);
  if (!owner) return iqError(404, "item-not-found");
  const image = bytesOf(query);
  if (!image) {
    owner.pictureId = undefined;
    return OK;
  }
  setPicture(owner, image, world);
  return [stanza("picture", { id: owner.pictureId })];
};

function pictured(jid: string, { people, groups }: Pick<World, "people" | "groups">): Pictured | undefined {
  return isGroupJid(jid) ? groups.get(jid) : people.find(jid);
}
