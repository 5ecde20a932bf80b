#!/bin/bash
# One backup: every stack's state and the databases. Each file is encrypted to the recipients before it leaves memory.
# The layout is what `homelab state restore --from <folder>` reads. Settings come as variables (components/platform/state-backup/values.ts).
set -euo pipefail
umask 077

stamp=$(date -u +%Y-%m-%dT%H-%M-%SZ)
# Pattern for the names of backups, in the syntax of rclone's filters.
day='[0-9][0-9]' && STAMPS="20$day-$day-${day}T$day-$day-${day}Z"
out=$BACKUP_WORK/$stamp
states=$BACKUP_MEMORY/states
rm -rf "$states"
mkdir -p "$out/states" "$out/postgres" "$states"

sealed() { age --encrypt --recipients-file "$BACKUP_RECIPIENTS" --output "$1"; }

# An object on S3 is replaced as a whole, so each state is complete even while a run writes. Locks and history are left out.
rclone copy "states:$BACKUP_STATES/.pulumi/stacks" "$states" --include '*.json' --include '*.json.gz'
found=0
while IFS= read -r -d '' file; do
  name=$(basename "$file")
  if [ -e "$out/states/$name.age" ]; then
    echo "two projects in $BACKUP_STATES have $name: give each a folder of its own in PULUMI_BACKEND_URL, and say this one's (states.folder)" >&2
    exit 1
  fi
  sealed "$out/states/$name.age" < "$file"
  found=$((found + 1))
done < <(find "$states" -type f -print0 | sort -z)
rm -rf "$states"
if [ "$found" -eq 0 ]; then
  echo "there is no state in $BACKUP_STATES/.pulumi/stacks: say where PULUMI_BACKEND_URL has them (option states)" >&2
  exit 1
fi
echo "$found states"

for name in $BACKUP_DATABASES; do
  host=BACKUP_${name}_HOST database=BACKUP_${name}_DATABASE user=BACKUP_${name}_USER password=BACKUP_${name}_PASSWORD
  PGPASSWORD=${!password} PGSSLMODE=${BACKUP_SSLMODE:-require} pg_dump --format=custom --no-password \
    --host "${!host}" --username "${!user}" --dbname "${!database}" | sealed "$out/postgres/$name.dump.age"
  echo "database $name"
done

( cd "$out" && find . -type f -print0 | sort -z | xargs -0 sha256sum ) > "$BACKUP_WORK/SHA256SUMS"
mv "$BACKUP_WORK/SHA256SUMS" "$out/SHA256SUMS"
# The last file: a folder without it is half a backup.
printf '{"version":1,"site":"%s","takenAt":"%s"}\n' "$BACKUP_SITE" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$out/backup.json"

# A place that is down does not stop the copies to the others, but the Job fails.
failed=""
for place in $BACKUP_PLACES; do
  bucket=BACKUP_${place}_BUCKET
  if rclone copy "$out" "$place:${!bucket}/$stamp" && rclone check --one-way --download "$out" "$place:${!bucket}/$stamp"; then
    echo "$place has $stamp"
    # Deletes only old backups, no other object of the bucket, and only after the new backup was read back from this place.
    rclone delete --min-age "${BACKUP_KEEP_DAYS}d" --include "/$STAMPS/**" "$place:${!bucket}" || failed="$failed $place"
  else
    failed="$failed $place"
  fi
done
rm -rf "$out"
if [ -n "$failed" ]; then
  echo "the backup failed at:$failed" >&2
  exit 1
fi
