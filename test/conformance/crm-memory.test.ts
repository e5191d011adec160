/** The CRM in memory keeps the promises of a CRM adapter. */
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

describeCrmAdapter("memory", () => {
  const adapter = createMemoryAdapter({ clock: fixedClock() });
  return Promise.resolve({
    adapter,
    personEdits: (doctype, name, fields) => {
      adapter.edit(doctype, name, fields);
      return Promise.resolve();
    },
  });
});
