/**
 * `w:sync:app:state`: the companion asks what changed, or brings a change of its own. Baileys rc14: resyncAppState, appPatch,
 * extractSyncdPatches (a version comes inside each patch; a conflict has to be an error of the whole query).
 */
import { announceAppState, takeOverChanges } from "../holdings/address-book.ts";
import type { Account } from "../state/account.ts";
import { bytesOf, childOf, childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { iqError, type IqHandler } from "./answer.ts";

const CONFLICT = 409;

export const syncAppState: IqHandler = ({ query, companion }, world) => {
  const { account } = companion;
  const answers: Stanza[] = [];
  for (const collection of childrenOf(query)) {
    const name = collection.attrs["name"] ?? "";
    const version = Number(collection.attrs["version"] ?? 0);
    const patch = bytesOf(childOf(collection, "patch") ?? childOf(childOf(collection, "patches"), "patch"));
    if (!patch) {
      answers.push(
        changesSince(account, name, version, collection.attrs["return_snapshot"] === "true", world),
      );
      continue;
    }
    const accepted = account.appState.accept(name, version, patch);
    if (accepted.outcome === "conflict") return iqError(CONFLICT, "conflict");
    takeOverChanges(account, accepted.mutations);
    announceAppState(account, name, world, companion);
    answers.push(stanza("collection", { name, version: accepted.version, type: "result" }));
  }
  return [stanza("sync", {}, answers)];
};

function changesSince(
  { appState, options }: Account,
  name: string,
  version: number,
  wantsSnapshot: boolean,
  { media }: Pick<World, "media">,
): Stanza {
  const current = appState.version(name);
  if (current > 0 && wantsSnapshot && options.appState === "snapshot") {
    const directPath = media.newPath();
    const { reference, ciphertext } = appState.snapshotBlob(name, directPath);
    media.putBlob(directPath, ciphertext);
    return stanza("collection", { name, version: current, has_more_patches: "false" }, [
      stanza("snapshot", {}, reference),
    ]);
  }
  const patches = appState.patchesSince(name, version).map((patch) => stanza("patch", {}, patch));
  return stanza(
    "collection",
    { name, version: current, has_more_patches: "false" },
    patches.length > 0 ? [stanza("patches", {}, patches)] : undefined,
  );
}
