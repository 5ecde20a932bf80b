import { pathToFileURL } from "node:url";
import { backendFolder } from "./backend-folder";

test.each(["/srv/state", "/srv/a b/100%/c#?d", "/srv/a'b\"c$", "/srv/two\nlines\tand", "/srv/ü"])("the URL of %j leads back to it", (folder) => {
  expect(backendFolder(`${pathToFileURL(folder).href}?no_tmp_dir=true`)).toBe(folder);
});

test.each(["file:///srv/100%/state", "file:///srv/c#/state", "file:///srv/a\nb", "file://./%ZZ"])("%j is refused, with what to write", (url) => {
  expect(() => backendFolder(url)).toThrow(
    expect.objectContaining({
      code: "E_BACKEND_URL",
      message: `${JSON.stringify(url)} is no URL of a folder`,
      hint: expect.stringContaining("% of its path as %25"),
    }),
  );
});

test("a folder below the project or the home stays so", () => {
  expect([backendFolder("file://./state"), backendFolder("file://~/state")]).toEqual(["./state", "~/state"]);
});
