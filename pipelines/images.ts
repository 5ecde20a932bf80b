/** The images that the homelab builds itself, by the one list of images/images.yaml. */
import type { Workflow } from "./github";
import { jobNamed } from "./jobs";
import type { Job } from "./model";
import { IMAGE_SCAN } from "./reusable";
import { checkout, IMAGES_LIST, INSTALL } from "./steps";

const PATHS = ["images/**"];
const REGISTRY = "${{ vars.REGISTRY }}";

/** Lists the images that differ from the commit that the host names as the base. */
const list = (base: string, words: string): Job => ({
  ...jobNamed(IMAGES_LIST),
  env: { IMAGES_BASE: base },
  steps: [INSTALL, { run: `npm run images${words}`, id: "list" }],
});
const OUTPUTS = { images: "${{ steps.list.outputs.images }}", version: "${{ steps.list.outputs.version }}" };
const EACH = { name: "image", of: `\${{ fromJSON(needs.${IMAGES_LIST}.outputs.images) }}` };
const ANY = `needs.${IMAGES_LIST}.outputs.images != '[]'`;
/** The name of each image within its job. */
const LOCAL = "${{ matrix.image.name }}:scanned";

export const IMAGES: readonly Workflow[] = [
  {
    file: "images.yml",
    name: "images",
    why: `Builds the images that commits on main concern, scans them, and pushes them as build-and-push.yml does: with the tags <commit> and <version>.
A repository without the variable REGISTRY has no registry to push to.`,
    on: { push: { branches: ["main"], paths: PATHS }, workflow_dispatch: null },
    // Of several waiting runs in a group GitHub keeps only the newest. Each run looks only at the commits of its own push, so none may be dropped.
    concurrency: { group: "images-${{ github.sha }}", cancel: false },
    jobs: [
      { job: list("${{ github.event.before }}", " -- --pinned"), if: "github.ref == 'refs/heads/main' && vars.REGISTRY != ''", outputs: OUTPUTS },
      {
        name: "image",
        title: "Build, scan, push",
        calls: "build-and-push.yml",
        needs: [IMAGES_LIST],
        if: ANY,
        matrix: EACH,
        permissions: { attestations: "write", contents: "read", "id-token": "write", "security-events": "write" },
        with: {
          "app-context": "${{ matrix.image.context }}",
          "app-name": "${{ matrix.image.name }}",
          "app-dockerfile": "${{ matrix.image.dockerfile }}",
          "build-args": "${{ matrix.image.arguments }}",
          registry: REGISTRY,
          project: "${{ vars.REGISTRY_PROJECT || 'library' }}",
          version: `\${{ needs.${IMAGES_LIST}.outputs.version }}`,
        },
        secrets: { "registry-username": "${{ secrets.REGISTRY_USERNAME }}", "registry-password": "${{ secrets.REGISTRY_PASSWORD }}" },
      },
    ],
  },
  {
    file: "images-of-change.yml",
    name: "images of a change",
    why: `Builds the images that a change concerns, and scans them. Nothing is pushed, no account of a registry is here, and the cache is the change's
own. A base without a digest is not refused yet: images.yml refuses it, and pushes nothing.`,
    on: { pull_request: { paths: PATHS } },
    concurrency: { group: "images-${{ github.event.pull_request.number }}", cancel: true },
    jobs: [
      { job: list("${{ github.event.pull_request.base.sha }}", ""), outputs: OUTPUTS },
      {
        if: ANY,
        needs: [IMAGES_LIST],
        matrix: EACH,
        job: {
          name: "image",
          title: "Build and scan",
          on: ["change"],
          only: "github",
          timeoutMinutes: 30,
          permissions: { contents: "read" },
          runner: "hosted",
          prepare: [checkout()],
          steps: [
            { uses: "docker/setup-buildx-action" },
            {
              name: "Build",
              uses: "docker/build-push-action",
              with: {
                context: "${{ matrix.image.context }}",
                file: "${{ matrix.image.context }}/${{ matrix.image.dockerfile }}",
                "build-args": "${{ matrix.image.arguments }}",
                "cache-from": "type=gha,scope=${{ matrix.image.name }}",
                load: true,
                tags: LOCAL,
              },
            },
            { name: "Scan", uses: "aquasecurity/trivy-action", with: { ...IMAGE_SCAN, "image-ref": LOCAL, format: "table" } },
          ],
        },
      },
    ],
  },
];
