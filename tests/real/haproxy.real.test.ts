/** A real haproxy on a Debian host: a configuration is checked before it is used, and a reload drops no connection. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Role } from "../../ansible-replacements";
import { command, waitUntil } from "../../ansible-replacements/operations/commands";
import { packages } from "../../ansible-replacements/operations/packages";
import { quote } from "../../ansible-replacements/quote";
import { type RealHost, type RealHosts, startRealHosts } from "../support/real-hosts";
import { describeReal } from "../support/real-parts";
import { runRole } from "../support/real-role";

const FILE = "/etc/haproxy/haproxy.cfg";
const RELOADED = "/run/haproxy-reloaded";

/** @param extra a line of the configuration's global section */
function haproxy(backend: string, extra: string): Role {
  const config = `global
  daemon
  ${extra}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind :8080
  default_backend app
backend app
  server one ${backend}
`;
  const text = quote(config);
  return {
    name: "haproxy",
    operations: [
      packages("haproxy"),
      command(
        "haproxy configuration",
        `[ "$(cat ${FILE})" = "$(printf '%s' ${text})" ]`,
        `printf '%s' ${text} > ${FILE}.new && { haproxy -c -f ${FILE}.new || { rm -f ${FILE}.new; false; }; } && mv -f ${FILE}.new ${FILE}`,
      ),
      command(
        "haproxy reloaded",
        `cmp -s ${FILE} ${RELOADED} && systemctl is-active --quiet haproxy`,
        `systemctl reload-or-restart haproxy && cp ${FILE} ${RELOADED}`,
      ),
      // A reload is asked for and not awaited by systemd: the new process takes the port a moment later.
      waitUntil("haproxy serves", "curl -fsS -o /dev/null http://127.0.0.1:8080/", 30),
    ],
  };
}

/** Chunks of the answer that is under way while haproxy is reloaded. */
const CHUNKS = 20;

describeReal(["ip", "debian-root"], "haproxy on Debian", (pathOf) => {
  let real: RealHosts;
  let host: RealHost;
  let backend: http.Server;
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["haproxy"]);
    [host] = real.hosts as [RealHost];
    backend = http.createServer((request, response) => {
      if (request.url !== "/slow") {
        response.end("ok\n");
        return;
      }
      let sent = 0;
      const timer = setInterval(() => {
        response.write(`${sent}\n`);
        if (++sent < CHUNKS) return;
        clearInterval(timer);
        response.end();
      }, 200);
    });
    await new Promise<void>((resolve) => backend.listen(0, host.gateway, resolve));
  });
  afterAll(async () => {
    await real.stop();
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  });

  const role = (extra = "") => haproxy(`${host.gateway}:${(backend.address() as AddressInfo).port}`, extra);
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      http
        .get({ host: host.address, port: 8080, path, agent: false }, (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => (response.complete ? resolve(text) : reject(new Error("cut off"))));
          response.on("error", reject);
        })
        .on("error", reject);
    });

  test("the role installs it, and it serves", async () => {
    expect((await runRole(host, role())).exitCode).toBe(0);
    expect(await get("/")).toBe("ok\n");
    expect((await runRole(host, role())).summary?.changed).toBe(0);
  });

  test("a changed configuration is reloaded while requests run, and none of them fails", async () => {
    const before = (await host.run("systemctl show -p MainPID --value haproxy")).stdout;
    const slow = get("/slow");
    let stop = false;
    const many = (async () => {
      let answered = 0;
      while (!stop && answered < 5_000) {
        expect(await get("/")).toBe("ok\n");
        answered++;
      }
      return answered;
    })();
    const { operations } = await runRole(host, role("# another configuration"));
    expect(operations.filter((line) => line.startsWith("changed"))).toEqual(["changed haproxy configuration", "changed haproxy reloaded"]);
    expect(await slow).toBe(Array.from({ length: CHUNKS }, (_, i) => `${i}\n`).join(""));
    stop = true;
    expect(await many).toBeGreaterThan(10);
    expect((await host.run("systemctl show -p MainPID --value haproxy")).stdout).toBe(before);
  });

  test("a configuration that haproxy refuses is not put in place, and the old one goes on serving", async () => {
    const { exitCode, operations } = await runRole(host, role("no-such-keyword"));
    expect(exitCode).toBe(1);
    expect(operations.at(-1)).toContain("unknown keyword 'no-such-keyword'");
    expect((await host.run("sudo -n grep -c no-such-keyword /etc/haproxy/haproxy.cfg")).stdout).toBe("0\n");
    expect(await get("/")).toBe("ok\n");
    expect((await runRole(host, role("# another configuration"))).summary?.changed).toBe(0);
  });
});
