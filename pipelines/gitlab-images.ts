/**
 * The images that a change concerns, on GitLab. Only a run knows which they are. So one job writes a pipeline with their jobs, and a second job
 * runs it as its child pipeline. Each image is built, then scanned, and pushed only after that, as on GitHub.
 */
import { HomelabError } from "../common/errors";
import { portableYaml } from "../common/yaml";
import { splitCommand } from "./command-words";
import { IMAGES, TRIVY_IMAGE } from "./gitlab-templates";

/** One entry of `homelab images list`. */
export interface ListedImage {
  readonly name: string;
  /** From the checkout's folder, as the Dockerfile is too. */
  readonly context: string;
  readonly dockerfile: string;
  readonly arguments: Readonly<Record<string, string>>;
}

/** A job that pushes has the registry's account, from variables of the project whose scope is this environment. */
const ENVIRONMENT = "images";

export const IN_CHILD = [{ if: '$CI_PIPELINE_SOURCE == "parent_pipeline"' }] as const;
const LOGIN = 'printenv REGISTRY_PASSWORD | docker login --username "$REGISTRY_USERNAME" --password-stdin "$REGISTRY"';

/** A variable of its own for each argument: none of the project's or of GitLab's has its name. */
const variableOf = (argument: string): string => `BUILD_${argument}`;

function checked({ name, context, dockerfile, arguments: args }: ListedImage): void {
  const words = [name, context, dockerfile].filter((word) => !/^[\w][\w./-]*$/.test(word));
  const names = Object.keys(args).filter((one) => !/^[A-Z_]+$/.test(one));
  if (words.length + names.length > 0)
    throw new HomelabError("E_IMAGES", `the image ${name} has words that cannot stand in a pipeline: ${[...words, ...names].join(", ")}`, {
      subject: name,
      hint: "names and paths are of letters, digits, `.`, `_`, `-`; arguments of capital letters and `_`",
    });
}

function jobOf(image: ListedImage, push: boolean, version: string): object {
  checked(image);
  const { name, context, dockerfile, arguments: args } = image;
  const local = `${name}:scanned`;
  const target = `$REGISTRY/$REGISTRY_PROJECT/${name}`;
  const source = [...Object.keys(args).map((one) => `--build-arg "${one}=$${variableOf(one)}"`), `--file ${dockerfile}`].join(" ");
  const script = [
    "docker buildx create --use --driver docker-container",
    `docker buildx build --pull --load --tag ${local} ${source} ${context}`,
    // Daemon and socket are those of the service, so the scanner reads the image where it was built.
    `docker run --rm --volume /var/run/docker.sock:/var/run/docker.sock ${IMAGES.trivy} ${TRIVY_IMAGE} ${local}`,
    ...(push
      ? [
          LOGIN,
          `docker buildx build --push --provenance=mode=max --sbom=true ${source} --tag "${target}:$CI_COMMIT_SHA" --tag "${target}:${version}" ${context}`,
        ]
      : []),
  ];
  for (const command of script) splitCommand(command);
  return {
    image: IMAGES.docker,
    services: [IMAGES.dind],
    timeout: "30 minutes",
    // A commit's images are pushed even after a newer commit: the newer pipeline looks only at its own changes.
    interruptible: !push,
    rules: IN_CHILD,
    ...(push ? { environment: { name: ENVIRONMENT, action: "access" } } : {}),
    variables: {
      DOCKER_TLS_CERTDIR: "/certs",
      ...Object.fromEntries(Object.entries(args).map(([one, value]) => [variableOf(one), { value, expand: false }])),
    },
    script,
  };
}

/** A pipeline must have a job. */
const NONE = { "no-image-is-concerned": { image: IMAGES.docker, timeout: "5 minutes", rules: IN_CHILD, script: ["echo no image is concerned"] } };

/** @param push whether they are pushed after the scan; @param version second tag of each */
export function imagesPipeline(images: readonly ListedImage[], { push, version }: { readonly push: boolean; readonly version: string }): string {
  const jobs = images.length === 0 ? NONE : Object.fromEntries(images.map((image) => [`image-${image.name}`, jobOf(image, push, version)]));
  return portableYaml({ workflow: { rules: IN_CHILD }, variables: { REGISTRY_PROJECT: "library" }, ...jobs }, { aliasDuplicateObjects: false });
}
