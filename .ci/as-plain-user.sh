#!/usr/bin/env bash
# Runs a command as most people do: without root, with a home of its own, in a clone in a folder with a space and an umlaut. The clone has
# the dependencies that are installed in this checkout, and only what is committed.
#   .ci/as-plain-user.sh make test
# A line says what this machine does not allow, and the command runs without that. HOMELAB_TEST_TOTALS gets the counts.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$here"

say() { printf 'as-plain-user: %s\n' "$*"; }
run_here() {
  say "NOT in a clone of its own and not as another user: $1"
  local status=0
  shift
  # What was copied so far may be what has filled the disk.
  [ -z "${base:-}" ] || rm -rf "$base"
  "$@" || status=$?
  exit "$status"
}

base=$(mktemp -d) || run_here "there is no folder for it" "$@"
trap 'rm -rf "$base"' EXIT
chmod 755 "$base"
place="$base/My Projekte ü"
clone="$place/homelab"
mkdir "$place" "$base/home"

# The checkout may belong to somebody else than who runs this, as in some CI.
printf '[safe]\n\tdirectory = *\n' >"$base/gitconfig"
GIT_CONFIG_GLOBAL="$base/gitconfig" git clone --quiet --no-hardlinks "$here" "$clone" || run_here "git cannot clone this checkout" "$@"
[ -z "$(GIT_CONFIG_GLOBAL="$base/gitconfig" git status --porcelain 2>/dev/null)" ] || say "what is not committed here does not run"
cp -R "$here/node_modules" "$clone/node_modules" || run_here "node_modules cannot be copied" "$@"
# The cache of compiled modules contains paths of this checkout.
rm -rf "$clone/node_modules/.cache"
# Newer than the clone's own files, so that make does not install again.
touch "$clone/node_modules/.package-lock.json"
# Some tests read this folder beside the checkout, where it exists.
[ ! -d "$here/../shared" ] || ln -s "$(cd "$here/../shared" && pwd -P)" "$place/shared"

# Counts go to a file of the user's first, since the user may not be allowed to write the one that is named.
: >"$base/totals"
variables=(HOME="$base/home" PATH="$PATH" HOMELAB_TEST_TOTALS="$base/totals")
for name in CI TMPDIR; do
  [ -z "${!name:-}" ] || variables+=("$name=${!name}")
done

# Prefix that runs a command as another user; `env` alone keeps the current one.
become=(env)
as() { (cd "$clone" && "${become[@]}" env -i "${variables[@]}" "$@"); }

# Whether the user reaches Node, npm, the clone and a place for temporary files. Prints why not.
# shellcheck disable=SC2069
refusal() {
  {
    as node -e 'require("@swc/core")' && as npx --no-install jest --version &&
      as node -e 'const fs = require("fs"); fs.rmdirSync(fs.mkdtempSync(require("os").tmpdir() + "/homelab-"))' &&
      as node -e 'const fs = require("fs"); if (fs.existsSync("../shared")) fs.readdirSync("../shared")'
  } 2>&1 >/dev/null # only what went wrong
}

user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  user=nobody
  why=""
  if ! id "$user" >/dev/null 2>&1; then
    why="there is no user $user"
  elif ! command -v runuser >/dev/null; then
    why="runuser is not installed"
  elif ! chown -R "$user:" "$base"; then
    why="its files cannot be given to $user"
  else
    become=(runuser -u "$user" --)
    reason=$(refusal) || why="$user cannot work in it: ${reason:-no reason is given}"
  fi
  if [ -n "$why" ]; then
    say "NOT as a plain user: $why"
    become=(env)
    user=root
    chown -R 0:0 "$base"
  fi
fi

say "$* as $user in $clone"
status=0
as "$@" || status=$?
if [ -n "${HOMELAB_TEST_TOTALS:-}" ]; then cat "$base/totals" >>"$HOMELAB_TEST_TOTALS"; fi
exit "$status"
