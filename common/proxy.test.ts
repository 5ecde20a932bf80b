/** The cases of Go's own tests (golang.org/x/net/http/httpproxy, 0.58), and some of ours. */
import { HomelabError } from "./errors";
import { type ProxySettings, parseProxy, proxyFor, proxySettings } from "./proxy";

const asked = (url: string, settings: ProxySettings): string | undefined => proxyFor(new URL(url), settings)?.href;

describe("which proxy", () => {
  test.each<[ProxySettings, string, string | undefined]>([
    [{ httpProxy: "127.0.0.1:8080" }, "http://example.com", "http://127.0.0.1:8080/"],
    [{ httpProxy: "cache.corp.example.com:1234" }, "http://example.com", "http://cache.corp.example.com:1234/"],
    [{ httpProxy: "cache.corp.example.com" }, "http://example.com", "http://cache.corp.example.com/"],
    [{ httpProxy: "localhost" }, "http://example.com", "http://localhost/"],
    [{ httpProxy: "https://cache.corp.example.com" }, "http://example.com", "https://cache.corp.example.com/"],
    [{ httpProxy: "http://127.0.0.1:8080" }, "http://example.com", "http://127.0.0.1:8080/"],
    [{ httpProxy: "https://127.0.0.1:8080" }, "http://example.com", "https://127.0.0.1:8080/"],
    [{ httpProxy: "socks5://127.0.0.1" }, "http://example.com", "socks5://127.0.0.1"],
    [{ httpProxy: "http.proxy.tld", httpsProxy: "secure.proxy.tld" }, "http://insecure.tld/", "http://http.proxy.tld/"],
    [{ httpProxy: "http.proxy.tld", httpsProxy: "secure.proxy.tld" }, "https://secure.tld/", "http://secure.proxy.tld/"],
    [{ httpProxy: "http.proxy.tld", httpsProxy: "https://secure.proxy.tld" }, "https://secure.tld/", "https://secure.proxy.tld/"],
    [{ httpProxy: "http.proxy.tld" }, "https://secure.tld/", undefined],
    [{ httpProxy: "http.proxy.tld" }, "ftp://insecure.tld/", undefined],
    [{ httpsProxy: "https://secure.proxy.tld", cgi: true }, "https://secure.tld/", "https://secure.proxy.tld/"],
    [{}, "http://example.com", undefined],
    [{ noProxy: "example.com", httpProxy: "proxy" }, "http://example.com/", undefined],
    [{ noProxy: ".example.com", httpProxy: "proxy" }, "http://example.com/", "http://proxy/"],
    [{ noProxy: "ample.com", httpProxy: "proxy" }, "http://example.com/", "http://proxy/"],
    [{ noProxy: "example.com", httpProxy: "proxy" }, "http://foo.example.com/", undefined],
    [{ noProxy: ".foo.com", httpProxy: "proxy" }, "http://example.com/", "http://proxy/"],
    [{ noProxy: ".示例.com", httpProxy: "proxy" }, "http://www.示例.com", undefined],
    [{ noProxy: "xn--fsq092h.com", httpProxy: "proxy" }, "http://www.示例.com", undefined],
    [{ noProxy: "示例.com", httpProxy: "proxy" }, "http://www.xn--fsq092h.com", undefined],
    // A port in the host's part, a password, upper case.
    [{ httpProxy: "http://a:b@proxy:3128" }, "http://example.com:8080", "http://a:b@proxy:3128/"],
    [{ noProxy: "EXAMPLE.com", httpProxy: "proxy" }, "http://Example.COM/", undefined],
  ])("%j, %s: %s", (settings, url, expected) => {
    expect(asked(url, settings)).toBe(expected);
  });

  test("in a CGI environment HTTP_PROXY is refused, which a client could set", () => {
    expect(() => asked("http://example.com", { httpProxy: "http://10.1.2.3:8080", cgi: true })).toThrow("HTTP_PROXY is not used in a CGI environment");
    expect(asked("http://localhost", { httpProxy: "http://10.1.2.3:8080", cgi: true })).toBeUndefined();
  });

  test("what is no proxy that we speak with is refused by the variable's name, and never quoted", () => {
    for (const text of ["foo://user:secret@host", "http://user:secret@[", "http://user:secret@host:port", "ftp://user:secret@host"]) {
      const error = [() => parseProxy(text, "HTTPS_PROXY")].map((attempt) => {
        try {
          return attempt();
        } catch (thrown) {
          return thrown;
        }
      })[0];
      expect(error).toBeInstanceOf(HomelabError);
      expect(String(error)).toMatch(/^HomelabError: HTTPS_PROXY (is not the address of a proxy|names a proxy of the kind (foo|ftp):\/\/)/);
      expect(JSON.stringify(error) + String(error)).not.toContain("secret");
    }
  });
});

const NO_PROXY =
  "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64";

/** Host, and whether a request to its port 80 goes through the proxy. */
const HOSTS: readonly [string, boolean][] = [
  ["localhost", false],
  ["127.0.0.1", false],
  ["127.0.0.2", false],
  ["[::1]", false],
  ["[::2]", true],
  ["192.168.1.1", false],
  ["192.168.1.2", true],
  ["192.168.1.3", false],
  ["192.168.1.4", true],
  ["10.0.0.2", false],
  ["[2001:db8::52:0:1]", false],
  ["[2001:db8::52:0:2]", true],
  ["[2001:db8::52:0:3]", false],
  ["[2002:db8:a::123]", false],
  ["[fe80::424b:c8be:1643:a1b6]", true],
  ["barbaz.net", true],
  ["www.barbaz.net", false],
  ["foobar.com", false],
  ["www.foobar.com", false],
  ["foofoobar.com", true],
  ["baz.com", true],
  ["localhost.net", true],
  ["local.localhost", true],
  ["barbarbaz.net", true],
  ["wildcard.io", true],
  ["nested.wildcard.io", false],
  ["awildcard.io", true],
  // Addresses of IPv4 within IPv6, and other spellings of one.
  ["[::ffff:127.0.0.1]", false],
  ["[::ffff:10.0.0.2]", false],
  ["[::ffff:10.0.0.5]", true],
  ["0x7f.1", false],
  ["10.0.0.5", true],
];

describe("which hosts", () => {
  test.each(HOSTS)("%s: %s", (host, through) => {
    expect(asked(`http://${host}:80`, { httpProxy: "proxy", noProxy: NO_PROXY }) !== undefined).toBe(through);
  });

  test.each(HOSTS)("%s, with all exempt", (host) => {
    expect(asked(`http://${host}:80`, { httpProxy: "proxy", noProxy: "*" })).toBeUndefined();
    expect(asked(`http://${host}:80`, { httpProxy: "proxy", noProxy: "x, *" })).toBeUndefined();
  });

  test.each([":1", ":", "[]:80", "/8", "10.0.0.0/33", "10.0.0.0/", "a:b:c", "[::1]", ",,", "*."])(
    "an entry that means nothing exempts nothing: %s",
    (noProxy) => {
      expect(asked("http://example.com:80", { httpProxy: "proxy", noProxy })).toBe("http://proxy/");
      expect(asked("http://10.0.0.1:80", { httpProxy: "proxy", noProxy })).toBe("http://proxy/");
    },
  );

  // Answers of Go's own package (golang.org/x/net/http/httpproxy, 0.58) to what 60,000 cases at random told apart, and its neighbours.
  test.each<[string, string, boolean]>([
    ["::/0", "http://10.0.0.5", true],
    ["::/0", "http://[::ffff:10.0.0.5]", true],
    ["::/0", "http://[fd00::5]", false],
    ["0.0.0.0/0", "http://[fd00::5]", true],
    ["0.0.0.0/0", "http://[::ffff:10.0.0.5]", false],
    ["::ffff:10.0.0.0/104", "http://10.0.0.5", false],
    ["::ffff:10.0.0.0/104", "http://11.0.0.5", true],
    ["::ffff:0:0/90", "http://10.0.0.5", true],
    ["fd00::/8", "http://10.0.0.5", true],
    ["[fd00::]/8", "http://[fd00::5]", true],
    ["10.0.0.0/8:80", "http://10.0.0.5", true],
    ["10.0.0/8", "http://10.0.0.5", true],
    ["FD00:0:0::5", "http://[fd00::5]", false],
    ["fd00::5:80", "http://[fd00::5]", true],
    ["fe80::1%eth0", "http://[fe80::1]", true],
    ["fe80::1%eth0/64", "http://[fe80::1]", true],
    ["010.0.0.5", "http://10.0.0.5", true],
    ["a%2etest", "http://a.test", true],
    ["a.test/", "http://a.test", true],
    ["http://a.test", "http://a.test", true],
    ["a.test;b.test", "http://a.test", true],
    ["a.test b.test", "http://a.test", true],
    ["a.test.", "http://a.test", true],
    ["a.test", "http://a.test.", true],
    ["[a.test]", "http://a.test", true],
    ["*a.test", "http://a.test", true],
    ["**", "http://a.test", true],
    ["*.*", "http://a.test", true],
    ["\ta.test\n", "http://a.test", false],
    ["*.a.test:80", "http://x.a.test", false],
    ["*.a.test:81", "http://x.a.test", true],
    [".test", "http://x.a.test", false],
    ["a_b.test", "http://a_b.test", false],
    ["Bücher.test", "http://www.bücher.test", false],
    ["localhost", "http://localhost.", true],
    ["", "http://foo.localhost", true],
    ["", "http://0.0.0.0", true],
    ["", "http://[::]", true],
  ])("NO_PROXY=%j, %s: through the proxy is %s", (noProxy, url, through) => {
    expect(asked(url, { httpProxy: "proxy", noProxy }) !== undefined).toBe(through);
  });

  test("a port of the entry is the request's, the scheme's own where it names none", () => {
    const settings = { httpProxy: "proxy", httpsProxy: "proxy", noProxy: "a.test:443,b.test:8080" };
    expect(asked("https://a.test", settings)).toBeUndefined();
    expect(asked("http://a.test", settings)).toBe("http://proxy/");
    expect(asked("http://x.b.test:8080", settings)).toBeUndefined();
    expect(asked("http://b.test", settings)).toBe("http://proxy/");
  });
});

describe("from the environment", () => {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "REQUEST_METHOD"];
  const before = names.map((name) => process.env[name]);
  beforeEach(() => {
    for (const name of names) delete process.env[name];
  });
  afterAll(() => {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });
  const set = (values: Record<string, string>): ProxySettings => {
    Object.assign(process.env, values);
    return proxySettings();
  };
  const [upper, lower] = [
    { HTTP_PROXY: "upper1", HTTPS_PROXY: "upper2", NO_PROXY: "upper3" },
    { http_proxy: "lower1", https_proxy: "lower2", no_proxy: "lower3" },
  ];

  test("upper case, lower case, and lower before upper", () => {
    expect(set(upper)).toEqual({ httpProxy: "upper1", httpsProxy: "upper2", noProxy: "upper3", cgi: false });
    expect(set(lower)).toEqual({ httpProxy: "lower1", httpsProxy: "lower2", noProxy: "lower3", cgi: false });
    expect(set({ http_proxy: "", https_proxy: "", no_proxy: "", REQUEST_METHOD: "PUT" })).toEqual({
      httpProxy: "upper1",
      httpsProxy: "upper2",
      noProxy: "upper3",
      cgi: true,
    });
  });
});
