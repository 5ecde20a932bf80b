/** Checks that a real Debian host still gives the recorded answers, which the lab is compared with. `HOMELAB_RECORD=1` records them anew. */
import { type RealHost, type RealHosts, startRealHosts } from "../../support/real-hosts";
import { describeReal } from "../../support/real-parts";
import { asked, CASES, type Recording, record, recorded } from "./cases";

describeReal(["ip", "debian-root"], "commands of roles on Debian", (pathOf) => {
  let real: RealHosts;
  let host: RealHost;
  const answers: Recording = {};
  beforeAll(async () => {
    real = await startRealHosts(pathOf("debian-root"), ["k8s-dev"]);
    [host] = real.hosts as [RealHost];
  });
  afterAll(async () => {
    await real.stop();
    if (process.env["HOMELAB_RECORD"] === "1") record(answers);
  });

  test.each(Object.keys(CASES))("%s", async (group) => {
    for (const { command, stdin } of CASES[group] ?? []) {
      const { stdout, exitCode } = await host.run(command, stdin === undefined ? {} : { stdin });
      answers[group] = [...(answers[group] ?? []), { stdout, exitCode }];
    }
    if (process.env["HOMELAB_RECORD"] === "1") return;
    expect(asked(group, answers[group])).toEqual(asked(group, recorded()[group]));
  });
});
