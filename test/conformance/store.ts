/** What every storage engine promises. An engine is done when its few-line test file passes. */
import { describe } from "vitest";
import { auditLog } from "./store/audit-log.ts";
import { authAndIntake } from "./store/auth-and-intake.ts";
import { changesOfMessages } from "./store/changes-of-messages.ts";
import { copies } from "./store/copies.ts";
import { crashes } from "./store/crashes.ts";
import { deliveriesForPeople } from "./store/deliveries-for-people.ts";
import { earlyChanges } from "./store/early-changes.ts";
import { endpointsAndKeys } from "./store/endpoints-and-keys.ts";
import { erasure } from "./store/erasure.ts";
import { eventLog } from "./store/event-log.ts";
import { ignoredGroups } from "./store/ignored-groups.ts";
import { imports } from "./store/imports.ts";
import { lanes } from "./store/lanes.ts";
import { lists } from "./store/lists.ts";
import { logins } from "./store/logins.ts";
import { lookUps } from "./store/look-ups.ts";
import { mediaFiles } from "./store/media-files.ts";
import { messageTraces } from "./store/message-traces.ts";
import { newMessages } from "./store/new-messages.ts";
import { oldMessages } from "./store/old-messages.ts";
import { peopleAndChats } from "./store/people-and-chats.ts";
import { phonesOfHiddenIds } from "./store/phones-of-hidden-ids.ts";
import { retention } from "./store/retention.ts";
import { search } from "./store/search.ts";
import { sends } from "./store/sends.ts";
import { sessions } from "./store/sessions.ts";
import { users } from "./store/users.ts";
import { watching } from "./store/watching.ts";
import { createWorlds, type OpenEngine } from "./store/world.ts";

/** `survives`: what is stored outlives the process. */
export function describeStore(name: string, open: OpenEngine, { survives }: { survives: boolean }): void {
  describe(`store on ${name}`, () => {
    const world = createWorlds(open);
    describe("sessions", () => sessions(world));
    describe("credentials, keys and intake", () => authAndIntake(world));
    describe("logins", () => logins(world));
    describe("copies", () => copies(world));
    describe("new messages", () => newMessages(world));
    describe("imports", () => imports(world));
    describe("changes of messages", () => changesOfMessages(world));
    describe("changes that come before their message", () => earlyChanges(world));
    describe("groups that a session ignores", () => ignoredGroups(world));
    describe("people and chats", () => peopleAndChats(world));
    describe("the phone behind a hidden id", () => phonesOfHiddenIds(world));
    describe("lists", () => lists(world));
    describe("who is still to be looked up", () => lookUps(world));
    describe("search", () => search(world));
    describe("sends", () => sends(world));
    describe("media", () => mediaFiles(world));
    describe("the event log", () => eventLog(world));
    describe("endpoints, keys and the vault", () => endpointsAndKeys(world));
    describe("users and their sign-ins", () => users(world));
    describe("lanes", () => lanes(world));
    describe("deliveries as people see them", () => deliveriesForPeople(world));
    describe("traces, missing messages and the past", () => messageTraces(world));
    describe("the audit log", () => auditLog(world));
    describe("retention", () => retention(world));
    describe("old messages", () => oldMessages(world));
    describe("erasing", () => erasure(world));
    describe("what watches over the hub", () => watching(world));
    if (survives) describe("a crash", () => crashes(world));
  });
}
