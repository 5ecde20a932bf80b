/** The suite of what the homelab needs of a Vault, against the lab's, from its first boot on. */
import { createContext } from "../../../lab/core/context";
import { startVault } from "../../../lab/vault";
import { vaultSuite } from "./suite";

describe("the lab's Vault", () => {
  vaultSuite(async () => {
    const context = await createContext();
    const server = await startVault("vault", context);
    return {
      address: `http://127.0.0.1:${server.port}`,
      token: undefined,
      kubernetes: true,
      wraps: false,
      reach: (port) => {
        context.network.listen("127.0.0.1", port, { port });
        return () => context.network.unlisten("127.0.0.1", port);
      },
      close: async () => {
        await server.stop();
        expect(context.unhandled.all()).toEqual([]);
      },
    };
  });
});
