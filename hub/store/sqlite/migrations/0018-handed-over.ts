/** How often a message that WhatsApp did not confirm may be handed to a further connection. */
export const handedOver = `
ALTER TABLE outgoing ADD COLUMN tries_left INTEGER NOT NULL DEFAULT 3;
`;
