/** Posts once to the URL it is given and prints what came back: for a process with other trusted authorities. */
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createSender } from "../../hub/outbox/sender.ts";

const url = process.argv[2] ?? "";
const guard = createAddressGuard({ allowCidrs: ["127.0.0.0/8"], allowedUrls: [] });
const sender = createSender({ url, ack: "body", timeoutMs: 5000, ca: null }, guard);
const body = Buffer.from("{}");
const exchange = await sender.post(body, { "content-length": String(body.length) });
console.log(JSON.stringify(exchange));
sender.close();
