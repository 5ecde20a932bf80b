# Boots a test host and runs as long as it: sh real-host.sh ROOT CGROUP NAME ADDRESS GATEWAY. ROOT is the host's own Debian root. The host
# gets its own namespaces for processes, mounts, names, IPC and network. The caller moves its interface eth0 in. Everything ends with
# this process, since nothing of it has a name outside.
set -eu
root=$1 cgroup=$2 name=$3 address=$4 gateway=$5
mkdir -p "$cgroup"
echo $$ >"$cgroup/cgroup.procs"
exec unshare --net --cgroup --mount --pid --uts --ipc --fork --kill-child sh -euc '
root=$1 name=$2 address=$3 gateway=$4
mount --make-rprivate /
tries=0
until ip link show eth0 >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "no eth0 came" >&2; exit 1; }
  sleep 0.1
done
ip link set lo up
ip link set eth0 up
ip address add "$address/30" dev eth0
ip route add default via "$gateway"
hostname "$name"
mount -t proc proc "$root/proc"
# Most kernel settings apply to the whole machine, so a host may change only those of its own network.
mount --bind "$root/proc/sys/net" "$root/mnt"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount --move "$root/mnt" "$root/proc/sys/net"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir "$root/.old"
cd "$root"
pivot_root . .old
umount -l /.old
rmdir /.old
exec env -i container=homelab PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init --log-target=null --show-status=0
' sh "$root" "$name" "$address" "$gateway"
