/**
 * The Frappe adapter on a bare site that `prepare` made ready, with the key of a user who has the bridge's role alone, and on one where an
 * older app is installed.
 */
import { openFrappeAdapter } from "../../bridge/adapters/frappe/frappe-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { createLog } from "../../bridge/log.ts";
import { startFrappeSite } from "../support/frappe-site.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

const log = createLog("silent");

describeCrmAdapter(
  "frappe",
  async () => {
    const site = await startFrappeSite();
    const manager = openFrappeAdapter(site, { clock: systemClock, log });
    const user = site.addUser("WhatsApp Bridge");
    const { url } = site;
    const own = openFrappeAdapter({ url, ...user }, { clock: systemClock, log });
    return {
      adapter: { ...own, prepare: () => manager.prepare() },
      documents: site.documents,
      personEdits: (doctype, name, fields) => {
        site.edit(doctype, name, fields);
        return Promise.resolve();
      },
      stop: site.stop,
    };
  },
  { documents: false },
);

describeCrmAdapter(
  "frappe with an app of its own",
  async () => {
    const site = await startFrappeSite({
      app: true,
      countsUnread: false,
      unknownField: "sql error",
      settingsForbidden: true,
    });
    return {
      adapter: openFrappeAdapter(site, { clock: systemClock, log }),
      documents: site.documents,
      personEdits: (doctype, name, fields) => {
        site.edit(doctype, name, fields);
        return Promise.resolve();
      },
      stop: site.stop,
    };
  },
  { documents: false },
);
