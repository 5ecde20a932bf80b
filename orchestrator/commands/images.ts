import { defineCommand } from "../cli/command";
import { IMAGE_BUILDERS, JSON_OUTPUT } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "lists the images that this homelab builds, pins their bases and tools, and builds them",
  notes: "The list is images/images.yaml.",
  verbs: {
    list: {
      summary: "prints the list as a table",
      notes: "With --json it prints the images that are built here, each with its build arguments; `npm run images` of the pipelines reads that.",
      flags: [JSON_OUTPUT, { name: "version", value: "VERSION", help: "the version in the labels of the JSON (default: the commit)" }],
    },
    pin: {
      summary: "writes the digest of each base and the checksum of each tool into the list",
      notes:
        "Asks the bases' registries, and downloads the tools: it needs a network, and checks no signature. It writes all of them or none. Commit what it wrote.",
      flags: [{ name: "fresh", help: "ask again for pinned ones too, such as a base that got a security fix" }],
    },
    build: {
      summary: "builds one image by Docker's buildx or by buildah",
      notes:
        "With --push, buildx adds a list of parts (SBOM) and a provenance; buildah adds neither. A base or tool without a digest is refused: with --unpinned it is built all the same, and never pushed.",
      words: [{ name: "name", help: "the image, as the list names it" }],
      flags: [
        { name: "tag", value: "IMAGE", help: "its name, with registry and tag (default localhost/<name>:local)" },
        { name: "version", value: "VERSION", help: "the version in its label (default: the commit)" },
        { name: "push", help: "push it to its registry" },
        { name: "builder", value: "PROGRAM", help: "what builds it (default: the one that is installed)", choices: IMAGE_BUILDERS },
        { name: "digest-file", value: "FILE", help: "write the digest of the pushed image to FILE, in the builder's own form" },
        { name: "unpinned", help: "build from bases without a digest, to try it out" },
      ],
      examples: ["homelab images build demo-web --unpinned", "homelab images build demo-web --push --tag registry.example.org/library/demo-web:1.0.0"],
    },
  },
  run: async (args, session, verb) => (await import("../images/manage-images")).manageImages(args, session, verb),
});
