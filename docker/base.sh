#!/bin/sh
# base.sh SUITE FOLDER bootstraps a minimal Debian into FOLDER, for machines
# that cannot pull an official base image. Needs root and debootstrap.
set -eu
suite=$1 root=$2

if ! command -v debootstrap >/dev/null; then
	[ "$(id -u)" = 0 ] || { echo "base.sh: debootstrap is not installed" >&2; exit 1; }
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends debootstrap
fi
debootstrap --variant=minbase --merged-usr "$suite" "$root"

# Small layers start faster: what a container never reads goes.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
	"$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
