/** Everything a CRM or the bridge may rely on. */
export * from "./administration.ts";
export * from "./errors.ts";
export * from "./event-data.ts";
export * from "./events.ts";
export * from "./message-of-event.ts";
export * from "./message-status.ts";
export * from "./resources.ts";
export * from "./send-order.ts";
export * from "./session-standing.ts";
export * from "./signature.ts";
