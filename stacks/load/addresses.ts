/** IPv4 addresses as numbers. */
const toNumber = (address: string): number => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);

/** Whether an IPv4 address lies in a network given as CIDR, and is not its first or last address. */
export function isInSubnet(address: string, subnet: string): boolean {
  const [base = "", prefix = ""] = subnet.split("/");
  const size = 2 ** (32 - Number(prefix));
  const offset = toNumber(address) - toNumber(base);
  return offset > 0 && offset < size - 1;
}
