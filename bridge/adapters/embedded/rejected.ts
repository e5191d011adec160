/** A record that can never be written as it is. The message says why and quotes nothing of the record. */
export class Rejected extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Rejected";
  }
}
