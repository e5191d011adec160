/** The paths at which the hub's webhooks arrive: bare at `/webhook`, in Frappe's `message` at the methods' names. */
import { Router } from "express";
import { expressDoor } from "../webhook/express.ts";
import type { ReceiveAnswer, Receiver } from "../webhook/receive.ts";

export function webhookRoutes({
  app,
  receiver,
  answered,
}: {
  app: string;
  receiver: Receiver;
  /** Told what became of every request, and the status it was answered with. */
  answered: (action: string, status: number) => void;
}): Router {
  const counted: Receiver = {
    ...receiver,
    receive: async (request) => {
      const answer = await receiver.receive(request);
      answered(actionOf(answer.body), answer.status);
      return answer;
    },
  };
  const router = Router();
  router.post("/webhook", expressDoor(counted));
  router.post(
    ["handle_webhook", "handle_webhook_event"].map((name) => `/api/method/${app}.api.webhook.${name}`),
    expressDoor(counted, { dress: (answer) => ({ message: answer }) }),
  );
  return router;
}

function actionOf(answer: ReceiveAnswer): string {
  if (answer.success) return answer.processed.action;
  return answer.processed === undefined ? "refused" : "rejected";
}
