/** Addresses and ranges of them: which address a text means, and whether it lies in a range. */
import { BlockList, isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Whether a text is a range such as 10.0.0.0/8, written so that nobody reads another one in it. */
export function isAddressRange(text: string): boolean {
  const [address = "", bits = "", rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || rest !== undefined || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

export function blockList(cidrs: string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = ipaddr.parseCIDR(cidr);
    list.addSubnet(address.toString(), bits, address.kind());
  }
  return list;
}

/** The address itself; v4 written as mapped v6 is v4. Null when the text is none. */
export function canonicalIp(text: string): { address: string; family: "ipv4" | "ipv6" } | null {
  if (isIP(text) === 0 || text.includes("%")) return null;
  const parsed = ipaddr.process(text);
  return { address: parsed.toString(), family: parsed.kind() };
}

export function isInRanges(address: string, cidrs: string[]): boolean {
  const ip = canonicalIp(address);
  return ip !== null && blockList(cidrs).check(ip.address, ip.family);
}

/** Whether every address of this range lies in one of those. */
export function isRangeWithin(cidr: string, cidrs: string[]): boolean {
  const [address, bits] = ipaddr.parseCIDR(cidr);
  return cidrs.some((one) => {
    const [, wide] = ipaddr.parseCIDR(one);
    return bits >= wide && blockList([one]).check(address.toString(), address.kind());
  });
}
