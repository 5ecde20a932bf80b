import { codesIn, failureClass } from "./failure-class";

test.each([
  ["rpc error: code = Unavailable desc = connection error", ["UNAVAILABLE"], "unreachable"],
  ["14 UNAVAILABLE: read ECONNRESET", ["UNAVAILABLE", "ECONNRESET"], "unreachable"],
  ["Proxmox: POST nodes/node03/qemu/9003/clone: 500 can't lock file '/var/lock/qemu-server/lock-9003.conf' - got timeout", ["PVE_LOCK"], "busy"],
  ["Proxmox: GET nodes/node03/qemu: 596 Connection timed out", ["596"], "timeout"],
  ['Post "https://10.0.0.1:6443/api": dial tcp 10.0.0.1:6443: connect: connection refused', ["ECONNREFUSED"], "unreachable"],
  ["PUT https://vault.example.org: no answer\n  because: other side closed\n  next: check it", ["ECONNRESET"], "unreachable"],
  ["FetchError: request failed: socket hang up", ["ECONNRESET"], "unreachable"],
  ['Put "https://10.0.0.1:6443/api": EOF\nupdate failed', ["ECONNRESET"], "unreachable"],
  ['Put "https://10.0.0.1:6443/api": unexpected EOF', ["ECONNRESET"], "unreachable"],
  ["PUT /v1/sys/policy: status 429", ["429"], "throttled"],
  ["Vault: PUT sys/mounts: 503 Vault is sealed", ["503"], "throttled"],
  ["the server answered HTTP/1.1 403 Forbidden", ["403"], "refused"],
  ["GET https://vault.example.org: no answer\n  because: connect EMFILE 127.0.0.1:1", ["EMFILE"], "refused"],
  // A wait of minutes that ended is not begun again, whatever its last look met.
  ["vpn was not ready within 900 s: it stands at TCP (step 2 of 7): connect EHOSTUNREACH 10.20.0.9:22", ["EHOSTUNREACH", "WAITED"], "timeout"],
  ["Deployment a/b: it is not ready after 600 s: connect ECONNREFUSED", ["ECONNREFUSED", "WAITED"], "timeout"],
  ["Harbor: it is not healthy within 10 minutes: HTTP 503", ["503", "WAITED"], "timeout"],
  // A refusal outweighs a cut connection.
  ["403: status 403, then ECONNRESET", ["403", "ECONNRESET"], "refused"],
])("%s", (message, codes, kind) => {
  expect([codesIn(message), failureClass([{ message }])]).toEqual([codes, kind]);
});

test.each([
  "VM 503 is not there",
  "502 resources",
  "port 443/503",
  "the program threw TypeError",
  "can't lock file",
  "line 3: unexpected EOF while looking for matching",
])("%s has no code", (message) => {
  expect([codesIn(message), failureClass([{ message }])]).toEqual([[], "other"]);
});

test("all errors of a stack must be ones that pass", () => {
  const passing = { message: "rpc error: code = Unavailable desc = x" };
  expect(failureClass([passing, { message: "update failed" }])).toBe("unreachable");
  expect(failureClass([passing, { message: "TypeError: x is not a function" }])).toBe("other");
  expect(failureClass([])).toBe("other");
});

test("codes that are given as data decide, and no text is read beside them", () => {
  const of = (message: string, ...codes: string[]) => failureClass([{ message, codes }]);
  expect(of("something in another language", "503")).toBe("throttled");
  expect(of("Proxmox: 500", "PVE_LOCK")).toBe("busy");
  // A text that only mentions a code, such as one that a script printed.
  expect(of("the log says: status 503, ECONNRESET")).toBe("other");
  expect(of("x", "E_OF_NOBODY")).toBe("other");
  expect(of("x", "503", "403")).toBe("refused");
});
