import { defineCommand } from "../cli/command";
import { IMAGE_BUILDERS, JSON_OUTPUT } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "lists the images that this homelab builds, pins what they are built from, and builds them",
  notes: "All of it by one list, images/images.yaml.",
  verbs: {
    list: {
      summary: "prints the list as a table",
      notes: "As JSON it is what is built here, each with the arguments of its build; `npm run images` of the pipelines reads that.",
      flags: [JSON_OUTPUT, { name: "version", value: "VERSION", help: "for the labels in the JSON (default: the commit)" }],
    },
    pin: {
      summary: "writes the digest of each base and the checksum of each tool into the list",
      notes:
        "Asks the bases' registries, and downloads the tools: it needs a network, and checks no signature. Commit what it wrote. All is written, or nothing.",
      flags: [{ name: "fresh", help: "ask again for what is pinned already, such as a base with a mended hole" }],
    },
    build: {
      summary: "builds one of them by Docker's buildx or by buildah",
      notes:
        "With --push, buildx adds a list of parts (SBOM) and a provenance; buildah adds neither. A base or tool without a digest is refused: with --unpinned it is built all the same, and never pushed.",
      words: [{ name: "name", help: "what is built, as the list names it" }],
      flags: [
        { name: "tag", value: "IMAGE", help: "its name, with registry and tag (default localhost/<name>:local)" },
        { name: "version", value: "VERSION", help: "for its label (default: the commit)" },
        { name: "push", help: "push it to its registry" },
        { name: "builder", value: "PROGRAM", help: "what builds it (default: whichever is here)", choices: IMAGE_BUILDERS },
        { name: "digest-file", value: "FILE", help: "where the digest of what was pushed is written, as the builder writes it" },
        { name: "unpinned", help: "build from bases without a digest, to try it out" },
      ],
      examples: ["homelab images build demo-web --unpinned", "homelab images build demo-web --push --tag registry.example.org/library/demo-web:1.0.0"],
    },
  },
  run: async (args, session, verb) => (await import("../images/manage-images")).manageImages(args, session, verb),
});
