/** Pattern of a label of DNS, at most 63 characters: the parts of a host name between its dots. With one group. */
export const DNS_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
