#!/bin/sh
# attempt.sh FILE COMMAND [WORD...]: runs a command. Where it fails, FILE has its standard error, for the job that reports the failure.
# Exit code: the command's.
set -u
file=$1
shift
mkdir -p "$(dirname "$file")"
code=0
"$@" 2>"$file" || code=$?
cat "$file" >&2
[ "$code" = 0 ] && rm -f "$file"
exit "$code"
