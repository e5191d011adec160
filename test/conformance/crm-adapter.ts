/** What every adapter of a CRM promises. An adapter is done when its few-line test file passes. */
import { describe } from "vitest";
import { clients } from "./crm/clients.ts";
import { counts } from "./crm/counts.ts";
import { documents } from "./crm/documents.ts";
import { lateLinks } from "./crm/late-links.ts";
import { mergedPeople } from "./crm/merged-people.ts";
import { merges } from "./crm/merges.ts";
import { messageChanges } from "./crm/message-changes.ts";
import { newMessages } from "./crm/new-messages.ts";
import { oddTexts } from "./crm/odd-texts.ts";
import { order } from "./crm/order.ts";
import { parallelWriters } from "./crm/parallel-writers.ts";
import { people } from "./crm/people.ts";
import { personsOwn } from "./crm/persons-own.ts";
import { reactions } from "./crm/reactions.ts";
import { sessions } from "./crm/sessions.ts";
import { createCrmWorlds, everyAbility, type Abilities, type OpenCrm } from "./crm/world.ts";

/** `abilities`: only what this CRM cannot do need be named. */
export function describeCrmAdapter(name: string, open: OpenCrm, abilities: Partial<Abilities> = {}): void {
  const able: Abilities = { ...everyAbility, ...abilities };
  describe(`CRM adapter ${name}`, () => {
    const world = createCrmWorlds(open);
    describe("sessions", () => sessions(world));
    describe("contacts and chats", () => people(world));
    describe("new messages", () => newMessages(world, able));
    describe("changes of messages", () => messageChanges(world, able));
    describe("reactions", () => reactions(world, able));
    describe("what comes out of order", () => order(world, able));
    describe("a hidden id that turns out to be somebody", () => merges(world, able));
    describe("what a hidden id leaves behind", () => mergedPeople(world, able));
    describe("links that come late", () => lateLinks(world, able));
    describe("fields that belong to people", () => personsOwn(world));
    describe("odd texts", () => oddTexts(world));
    describe("counts", () => counts(world));
    describe("parallel writers", () => parallelWriters(world));
    if (able.clients) describe("clients of a directory", () => clients(world));
    if (able.documents) describe("documents", () => documents(world));
  });
}
