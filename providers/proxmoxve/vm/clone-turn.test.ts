import { turnFile } from "./clone-turn";

const PROXY = process.env["HTTPS_PROXY"];
afterEach(() => {
  if (PROXY === undefined) delete process.env["HTTPS_PROXY"];
  else process.env["HTTPS_PROXY"] = PROXY;
});

const behind = (proxy: string, endpoint = "https://192.168.1.2:8006", node = "node01"): string => {
  process.env["HTTPS_PROXY"] = proxy;
  return turnFile(endpoint, node);
};

test("one turn for each node of each Proxmox; one address behind two proxies is two of them", () => {
  const first = behind("http://127.0.0.1:18080");
  expect(behind("http://127.0.0.1:18080")).toBe(first);
  const others = [
    behind("http://127.0.0.1:18081"),
    behind("http://127.0.0.1:18080", "https://192.168.1.3:8006"),
    behind("http://127.0.0.1:18080", "https://192.168.1.2:8006", "node02"),
  ];
  expect(new Set([first, ...others]).size).toBe(4);
});
