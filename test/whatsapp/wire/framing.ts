/**
 * Framing: the client's stream starts with `WA` 6 3 (before it, maybe, `ED` 0 1 and routing info), then frames of a three
 * byte length and a payload; WebSocket message borders mean nothing. Seen in Baileys rc14, noise-handler.js.
 */

export const PROLOGUE = Buffer.from([0x57, 0x41, 6, 3]);
const ROUTING = Buffer.from("ED");
const ROUTING_HEADER = 7;
const LENGTH = 3;
const MAX_FRAME = 0xffffff;

export function frame(payload: Uint8Array): Buffer {
  if (payload.length > MAX_FRAME) throw new Error("frame too long: send it as a download");
  const framed = Buffer.allocUnsafe(LENGTH + payload.length);
  framed.writeUIntBE(payload.length, 0, LENGTH);
  framed.set(payload, LENGTH);
  return framed;
}

/** Takes the stream in any pieces, gives whole payloads. Throws when the stream does not start as WhatsApp's does. */
export function createFrameReader(onPayload: (payload: Buffer) => void): (piece: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  let introduced = false;

  const introLength = (): number | undefined => {
    if (pending.length < PROLOGUE.length) return undefined;
    if (!pending.subarray(0, 2).equals(ROUTING)) return PROLOGUE.length;
    if (pending.length < ROUTING_HEADER) return undefined;
    return ROUTING_HEADER + pending.readUIntBE(4, LENGTH) + PROLOGUE.length;
  };

  const readIntro = (): void => {
    const length = introLength();
    if (length === undefined || pending.length < length) return;
    if (!pending.subarray(length - PROLOGUE.length, length).equals(PROLOGUE))
      throw new Error("not a WhatsApp stream");
    pending = pending.subarray(length);
    introduced = true;
  };

  return (piece) => {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    if (!introduced) readIntro();
    while (introduced && pending.length >= LENGTH) {
      const end = LENGTH + pending.readUIntBE(0, LENGTH);
      if (pending.length < end) return;
      const payload = pending.subarray(LENGTH, end);
      pending = pending.subarray(end);
      onPayload(payload);
    }
  };
}
