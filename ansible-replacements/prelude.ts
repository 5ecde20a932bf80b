/** How much of an operation's output a report carries, in bytes. */
const TAIL = 4000;
/** Seconds that a role waits for another one that runs on the same host: a run whose connection was lost may still be busy. */
const LOCK_SECONDS = 600;

/**
 * What every script begins with. POSIX sh: run by dash on Debian and Ubuntu, by bash, and by the lab's shell. The functions that
 * operations may use: `hl_is_file`, `hl_is_owned`, `hl_sha256`, `hl_json`, `hl_quoted`, `hl_diff`, `hl_say`.
 */
export const PRELUDE = `# Values are quoted on purpose, and the checks and applies are called by number.
# shellcheck disable=SC2016,SC2317,SC2329
set -u
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export PATH LC_ALL DEBIAN_FRONTEND
hl_check_only=\${HOMELAB_CHECK:-0}
hl_lock=\${HOMELAB_LOCK:-none}
hl_changed=0
hl_unchanged=0
hl_secret_names=
hl_say() {
  printf '%s\\n' "$1" >&2
  return 1
}
hl_cut() {
  [ -n "$2" ] || return 0
  hl_rest=$hl_text
  hl_text=
  while :; do
    case $hl_rest in
      *"$2"*)
        hl_text="$hl_text\${hl_rest%%"$2"*}[secret $1]"
        hl_rest=\${hl_rest#*"$2"}
        ;;
      *) break ;;
    esac
  done
  hl_text=$hl_text$hl_rest
}
hl_redact() {
  hl_text=$1
  for hl_name in $hl_secret_names; do
    hl_value=
    eval "hl_value=\\$HL_SECRET_$hl_name"
    hl_cut "$hl_name" "$hl_value"
    while IFS= read -r hl_line; do
      [ "\${#hl_line}" -lt 8 ] || hl_cut "$hl_name" "$hl_line"
    done <<HL_END
$hl_value
HL_END
  done
  printf '%s' "$hl_text"
}
hl_escape() {
  hl_redact "$1" | tail -c ${TAIL} | awk 'NR > 1 { printf "%s", "\\\\n" } { gsub(/["\\\\]/, "\\\\\\\\&"); n = split($0, part, "\\t"); for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? "\\\\t" : ""), part[i] }' | tr -d '[:cntrl:]'
}
hl_json() {
  printf '%s' "$1" | awk 'NR > 1 { printf "%s", "\\\\n" } { gsub(/["\\\\]/, "\\\\\\\\&"); printf "%s", $0 }'
}
hl_quoted() {
  printf '%s' "$1" | awk '{ gsub(/["\\\\$]/, "\\\\\\\\&"); print }'
}
hl_fail() {
  printf '{"operation":%s,"status":"failed","phase":"%s","exitCode":%s,"stderr":"%s"}\\n' "$1" "$2" "$3" "$(hl_escape "$4")"
  printf 'operation %s failed on %s (%s, exit code %s): %s\\n' "$1" "$(uname -n)" "$2" "$3" "$(hl_redact "$4" | tail -c ${TAIL})" >&2
  exit 1
}
hl_is_file() {
  [ -f "$1" ] || hl_say "$1 is missing"
}
hl_is_owned() {
  # Users of containers have a number and, on the host, no name.
  hl_format='%a %U:%G'
  case $2 in *' '[0-9]*) hl_format='%a %u:%g' ;; esac
  hl_stat=$(stat -c "$hl_format" "$1") || return 1
  [ "$hl_stat" = "$2" ] || hl_say "$1 is $hl_stat, expected $2"
}
hl_sha256() {
  hl_sum=$(sha256sum "$1") || return 1
  hl_sum=\${hl_sum%% *}
  [ "\${hl_sum#\\\\}" = "$2" ] || hl_say "the SHA-256 of $1 is \${hl_sum#\\\\}, expected $2"
}
hl_diff() {
  [ "$hl_check_only" != 1 ] || "$2" | diff -u "$1" - >&2
  return 1
}
hl_run() {
  hl_out=$("hl_check_$1" 2>&1)
  hl_code=$?
  if [ "$hl_code" -eq 0 ]; then
    hl_unchanged=$((hl_unchanged + 1))
    printf '{"operation":%s,"status":"ok"}\\n' "$2"
    return 0
  fi
  if [ "$hl_code" -ge 126 ]; then
    # In check mode, a program that is not there yet is what an operation before this one would bring.
    if [ "$hl_check_only" != 1 ] || [ "$hl_changed" -eq 0 ]; then hl_fail "$2" check "$hl_code" "$hl_out"; fi
  fi
  hl_changed=$((hl_changed + 1))
  if [ "$hl_check_only" = 1 ]; then
    hl_detail=
    [ -z "$hl_out" ] || hl_detail=",\\"detail\\":\\"$(hl_escape "$hl_out")\\""
    printf '{"operation":%s,"status":"would-change"%s}\\n' "$2" "$hl_detail"
    return 0
  fi
  hl_out=$("hl_apply_$1" 2>&1 9>&-)
  hl_code=$?
  [ "$hl_code" -eq 0 ] || hl_fail "$2" apply "$hl_code" "$hl_out"
  hl_out=$("hl_check_$1" 2>&1)
  hl_code=$?
  [ "$hl_code" -eq 0 ] || hl_fail "$2" verify "$hl_code" "$hl_out"
  printf '{"operation":%s,"status":"changed"}\\n' "$2"
}
if [ "$hl_lock" != none ]; then
  exec 9>"$hl_lock"
  flock -w ${LOCK_SECONDS} 9 || hl_fail '"lock of the host"' check 1 'another role has been running on this host for ${LOCK_SECONDS} seconds'
fi`;
