/** A QR code in the form its reader wants: its text, bare base64, a data URL, or the picture itself. */
import type { Session } from "../core/session.ts";
import { image, ok, secret, type Answer } from "./answer.ts";
import { drawQr } from "./qr-image.ts";

export async function qrAnswer(
  { sessionId }: Pick<Session, "sessionId">,
  { qr, expiresAt }: { qr: string; expiresAt: Date },
  form: "bare" | "dataUrl" | "png",
): Promise<Answer> {
  const png = await drawQr(qr);
  if (form === "png") return secret(image(png, "image/png"));
  const bare = png.toString("base64");
  const qrCodeDataUrl = `data:image/png;base64,${bare}`;
  // Clients that put the prefix there themselves get it bare; that is the default.
  const qrCode = form === "bare" ? bare : qrCodeDataUrl;
  return secret(
    ok({ qr, qrCode, qrCodeDataUrl, sessionId, status: "qr_code", expiresAt: expiresAt.toISOString() }),
  );
}
