/** Refusals as a Frappe site words them: status, exception and the JSON in JSON that carries the message. */

export class SiteError extends Error {
  readonly status: number;
  readonly excType: string;

  constructor(status: number, excType: string, message: string) {
    super(message);
    this.name = "SiteError";
    this.status = status;
    this.excType = excType;
  }
}

export const siteErrorBody = ({ excType, message }: SiteError): string =>
  JSON.stringify({
    exception: `frappe.exceptions.${excType}: ${message}`,
    exc_type: excType,
    exc: JSON.stringify([
      `Traceback (most recent call last):\n  …\nfrappe.exceptions.${excType}: ${message}\n`,
    ]),
    _server_messages: JSON.stringify([
      JSON.stringify({ message, title: "Message", indicator: "red", raise_exception: 1 }),
    ]),
  });

export const refuse = {
  duplicateName: (doctype: string, name: string) =>
    new SiteError(409, "DuplicateEntryError", `${doctype} <strong>${name}</strong> already exists`),
  notUnique: (label: string) => new SiteError(417, "UniqueValidationError", `<b>${label}</b> must be unique`),
  mandatory: (doctype: string, fields: string[]) =>
    new SiteError(417, "MandatoryError", `[${doctype}]: ${fields.join(", ")}`),
  tooLong: (label: string, length: number) =>
    new SiteError(
      417,
      "CharacterLengthExceededError",
      `<b>${label}</b> will get truncated, as max characters allowed is ${length}`,
    ),
  /** The database's own words: Frappe does not measure these columns before. */
  dataTooLong: (label: string) =>
    new SiteError(500, "DataError", `(1406, "Data too long for column '${label}' at row 1")`),
  noLink: (label: string, value: string) =>
    new SiteError(417, "LinkValidationError", `Could not find <b>${label}: ${value}</b>`),
  badOption: (label: string, value: string) =>
    new SiteError(417, "ValidationError", `${label} cannot be "${value}"`),
  changed: () =>
    new SiteError(
      417,
      "TimestampMismatchError",
      "Error: Document has been modified after you have opened it",
    ),
  linked: (doctype: string, name: string) =>
    new SiteError(417, "LinkExistsError", `Cannot delete or cancel because ${doctype} ${name} is linked`),
  notFound: (doctype: string, name: string) =>
    new SiteError(404, "DoesNotExistError", `${doctype} ${name} not found`),
  /** Loading the code of a type that is not there, which is what every call but a list begins with. */
  noModule: (doctype: string) =>
    new SiteError(
      500,
      "ImportError",
      `Module import failed for ${doctype}, the DocType you're trying to open might be deleted.`,
    ),
  noPermission: () => new SiteError(403, "PermissionError", "Insufficient Permission"),
  noLogin: () => new SiteError(401, "AuthenticationError", "Authentication failed"),
  noRename: (doctype: string) =>
    new SiteError(417, "ValidationError", `${doctype} not allowed to be renamed`),
};
