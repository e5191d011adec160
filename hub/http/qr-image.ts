/** A QR code as a picture. The text in it lets whoever scans it link the account: it is drawn here and kept nowhere. */
import QRCode from "qrcode";
import { HubError } from "../core/errors.ts";

/** Big enough to scan from a screen, with the quiet border that scanners need. */
const OPTIONS = { type: "png", margin: 4, scale: 6, errorCorrectionLevel: "M" } as const;

export async function drawQr(text: string): Promise<Buffer> {
  try {
    return await QRCode.toBuffer(text, OPTIONS);
  } catch (cause) {
    throw new HubError("QR_GENERATION_ERROR", "QR_GENERATION_ERROR: the code could not be drawn.", { cause });
  }
}

/** As `session.qr` and the REST API carry it: a PNG in bare base64. */
export const drawQrBase64 = async (text: string): Promise<string> => (await drawQr(text)).toString("base64");
