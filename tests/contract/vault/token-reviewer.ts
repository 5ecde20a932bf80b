/** A cluster's API, as far as Vault asks it: whether a token is one of its own. */
import { createServer, type Server } from "node:https";
import { z } from "zod";
import { createAuthority } from "../../../lab/core/tls";

/** @param knows whether the cluster has issued a token */
export async function startReviewer(knows: (token: string) => boolean): Promise<{ server: Server; caPem: string }> {
  const authority = await createAuthority("cluster");
  const pair = await authority.issue(["127.0.0.1"]);
  const server = createServer(pair, async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    const { token, audiences } = z.object({ spec: z.object({ token: z.string(), audiences: z.array(z.string()).optional() }) }).parse(JSON.parse(text)).spec;
    const said = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const user = { username: said.sub, uid: said["kubernetes.io"].serviceaccount.uid };
    const status = knows(token) ? { authenticated: true, audiences, user } : { authenticated: false };
    response.writeHead(201, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", status }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, caPem: authority.caPem };
}
