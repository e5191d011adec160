/** Routes about accounts, their phones and people. */
import { z } from "zod";
import { changedAccount, newAccount } from "../operations/accounts.ts";
import { read, route, type AdminRoute } from "./route.ts";

const scanBody = z.union([z.string(), z.strictObject({ qr: z.string(), account: z.string().optional() })]);
const codeBody = z.strictObject({ code: z.string(), account: z.string().optional() });
const unlinkBody = z.strictObject({ account: z.string().optional(), device: z.number().int().optional() });

export const accountRoutes: AdminRoute[] = [
  route({
    method: "POST",
    path: "/admin/accounts",
    summary:
      "Creates an account with everything its phone holds (preset: empty, small, mission, large, huge)",
    example: { preset: "mission", options: { addressing: "lid" } },
    handle: ({ body }, { operations }) => operations.createAccount(read(newAccount, body)),
  }),
  route({
    method: "GET",
    path: "/admin/accounts",
    summary: "All accounts",
    handle: (_request, { operations }) => operations.accounts(),
  }),
  route({
    method: "GET",
    path: "/admin/accounts/{number}",
    summary: "An account: sizes, options, linked devices and what they have not acknowledged",
    handle: ({ params }, { operations }) => operations.account(params["number"]),
  }),
  route({
    method: "PATCH",
    path: "/admin/accounts/{number}",
    summary: "Changes how the account's world behaves (addressing, receipts, automatic replies, history)",
    example: { readReceiptMs: 100, autoReply: "Recibido" },
    handle: ({ params, body }, { operations }) =>
      operations.changeAccount(params["number"], read(changedAccount, body)),
  }),
  route({
    method: "DELETE",
    path: "/admin/accounts/{number}",
    summary: "Removes an account; its devices are logged out",
    handle: ({ params }, { operations }) => operations.removeAccount(params["number"] ?? ""),
  }),
  route({
    method: "GET",
    path: "/admin/accounts/{number}/contacts",
    summary: "Its address book",
    handle: ({ params }, { operations }) => operations.contacts(params["number"]),
  }),
  route({
    method: "GET",
    path: "/admin/accounts/{number}/history",
    summary: "Chats and messages its phone held before anything was linked to it, newest first",
    handle: ({ params }, { operations }) => operations.history(params["number"]),
  }),
  route({
    method: "POST",
    path: "/admin/mock-phone/scan-qr",
    summary:
      "A phone scans a QR code. Body: its text alone, or {qr, account}; without account the first unlinked one (or a new small one)",
    example: { qr: "https://wa.me/settings/linked_devices#…", account: "99955500001" },
    handle: ({ body }, { operations }) => {
      const request = read(scanBody, body);
      return typeof request === "string"
        ? operations.scanQr(request)
        : operations.scanQr(request.qr, request.account);
    },
  }),
  route({
    method: "POST",
    path: "/admin/mock-phone/enter-code",
    summary: "The owner types a pairing code on the phone",
    example: { account: "99955500001", code: "ABCD1234" },
    handle: ({ body }, { operations }) => {
      const { code, account } = read(codeBody, body);
      return operations.enterCode(code, account);
    },
  }),
  route({
    method: "POST",
    path: "/admin/mock-phone/unlink",
    summary: "The phone logs its linked device out; later logins with those keys are refused with 401",
    example: { account: "99955500001" },
    handle: ({ body }, { operations }) => {
      const { account, device } = read(unlinkBody, body);
      operations.unlink(account, device);
    },
  }),
];
