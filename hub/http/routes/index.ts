/** The table of all routes, in the order they are tried: fixed words before ids that could be anything. */
import type { Route } from "../route.ts";
import { auditRoutes } from "./audit.ts";
import { chatOrderRoutes } from "./chat-orders.ts";
import { chatRoutes } from "./chats.ts";
import { cleanupRoutes } from "./cleanup.ts";
import { contactRoutes } from "./contacts.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { descriptionRoutes } from "./description.ts";
import { endpointRoutes } from "./endpoints.ts";
import { erasingRoutes } from "./erasing.ts";
import { eventRoutes } from "./events.ts";
import { healthRoutes } from "./health.ts";
import { keyRoutes } from "./keys.ts";
import { linkingRoutes } from "./linking.ts";
import { loginRoutes } from "./login.ts";
import { mediaRoutes } from "./media.ts";
import { messageRoutes } from "./messages.ts";
import { sessionExtraRoutes } from "./session-extras.ts";
import { sessionRoutes } from "./sessions.ts";
import { userRoutes } from "./users.ts";
import { webhookTestRoutes } from "./webhook-tests.ts";

export const allRoutes: Route[] = [
  ...healthRoutes,
  ...descriptionRoutes(() => allRoutes),
  ...sessionExtraRoutes,
  ...sessionRoutes,
  ...cleanupRoutes,
  ...linkingRoutes,
  ...contactRoutes,
  ...chatRoutes,
  ...chatOrderRoutes,
  ...erasingRoutes,
  ...messageRoutes,
  ...mediaRoutes,
  ...endpointRoutes,
  ...deliveryRoutes,
  ...eventRoutes,
  ...keyRoutes,
  ...loginRoutes,
  ...userRoutes,
  ...auditRoutes,
  ...webhookTestRoutes,
];
