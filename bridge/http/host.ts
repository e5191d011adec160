/** The address that the bridge listens at, as sockets want it and as URLs write it: IPv6 has brackets only in the latter. */

/** `[::1]` → `::1` */
export const bareHost = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

export const urlAt = (host: string, port: string | number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
