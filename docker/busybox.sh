#!/bin/sh
# busybox.sh runs in a container of the base image and writes the root of a
# busybox image to its standard output as tar: a shell and the small tools in
# one static binary.
set -eu
exec 3>&1 >&2
apt-get update -qq
apt-get install -y -qq --no-install-recommends busybox-static
mkdir -p /out/bin /out/tmp /out/etc /out/root
cp /bin/busybox /out/bin/
for tool in $(busybox --list); do
	[ "$tool" = busybox ] || ln -s busybox "/out/bin/$tool"
done
chmod 1777 /out/tmp
printf 'root:x:0:0:root:/root:/bin/sh\n' >/out/etc/passwd
tar -C /out -c . >&3
