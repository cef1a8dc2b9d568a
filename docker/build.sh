#!/bin/sh
# build.sh makes sure that every image of the Docker stack is on this machine.
#
#  1. An image that is there and whose content hash still holds is left alone,
#     so that a second run takes a second.
#  2. Official images are pulled, by exact version.
#  3. What cannot be pulled is built here under the same name: nginx and busybox
#     from Debian packages on a debootstrap base, toxiproxy from its Go module.
#  4. The origin and the FastAPI app are always built from this repository.
#
# usage: docker/build.sh [name...]   names: nginx busybox toxiproxy relay origin fastapi, and streamproof,
#        which no test needs: it is built only where it is named
# STREAMPROOF_PULL=0 skips step 2; STREAMPROOF_PULL_TIMEOUT (seconds, 120) bounds each pull.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repo=$(dirname "$here")
work=$(mktemp -d "${TMPDIR:-/tmp}/streamproof-images.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

SUITE=bookworm
BASE=streamproof/base:$SUITE
LABEL=io.github.streamproof.content
# The classic builder: BuildKit wants an extra plugin, and may want to pull.
export DOCKER_BUILDKIT=0

NGINX=nginx:1.22.1
BUSYBOX=busybox:1.35.0
TOXIPROXY=ghcr.io/shopify/toxiproxy:2.12.0
RELAY=streamproof/relay:dev
ORIGIN=streamproof/origin:dev
FASTAPI=streamproof/fastapi:dev
STREAMPROOF=streamproof/streamproof:dev

say() { printf '%-38s %s\n' "$1" "$2"; }

die() {
	echo "docker/build.sh: $*" >&2
	exit 1
}

# hash_of prints a digest over files (names and contents).
hash_of() { cat "$@" | sha256sum | cut -c1-16; }

# label_of prints the content hash of an image, "official" for one that bears
# none, and fails for one that is not there.
label_of() {
	docker image inspect -f "{{with index .Config.Labels \"$LABEL\"}}{{.}}{{else}}official{{end}}" "$1" 2>/dev/null
}

# pulled succeeds where the image is or gets here from its registry. After one
# failure no further pull is tried.
pulled() {
	[ "$(label_of "$1" || true)" = official ] && { say "$1" "present"; return 0; }
	[ "${STREAMPROOF_PULL:-1}" = 0 ] && return 1
	label_of "$1" >/dev/null && return 1 # ours: rebuilt only when its recipe changes
	if timeout "${STREAMPROOF_PULL_TIMEOUT:-120}" docker pull -q "$1" >/dev/null 2>"$work/pull"; then
		say "$1" "pulled"
		return 0
	fi
	say "$1" "cannot be pulled: $(tail -n 1 "$work/pull")"
	STREAMPROOF_PULL=0
	return 1
}

# fresh succeeds where image $1 was built from content $2.
fresh() {
	[ "$(label_of "$1" || true)" = "$2" ] || return 1
	say "$1" "present, unchanged"
}

# build makes image $1 of content $2 in folder $3; further arguments go to
# docker build.
build() {
	image=$1 content=$2 folder=$3
	shift 3
	started=$(date +%s)
	before=$(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null || true)
	docker build -q --force-rm --label "$LABEL=$content" -t "$image" "$@" "$folder" >"$work/out" 2>&1 ||
		{ cat "$work/out" >&2; die "build $image failed"; }
	if [ -n "$before" ] && [ "$before" != "$(docker image inspect -f '{{.Id}}' "$image")" ]; then
		docker rmi "$before" >/dev/null 2>&1 || true # a container may still use it
	fi
	say "$image" "built in $(($(date +%s) - started)) s"
}

# imported says that image $1, begun at $2, is built.
imported() { say "$1" "built in $(($(date +%s) - $2)) s"; }

# base bootstraps a minimal Debian, once.
base() {
	base_content=$SUITE-$(hash_of "$here/base.sh")
	fresh "$BASE" "$base_content" && return
	base_began=$(date +%s)
	sh "$here/base.sh" "$SUITE" "$work/base" >"$work/out" 2>&1 ||
		{ tail -n 20 "$work/out" >&2; die "bootstrap $BASE failed"; }
	tar -C "$work/base" -c . | docker import --change "LABEL $LABEL=$base_content" - "$BASE" >/dev/null
	rm -rf "$work/base"
	imported "$BASE" "$base_began"
}

debian_content() { hash_of "$here/base.sh" $(sources "$here/$1"); }

# debian builds image $1 from folder $2 (Dockerfile $3) on the base.
debian() {
	content=$(debian_content "$2")
	fresh "$1" "$content" && return
	base
	build "$1" "$content" "$here/$2" -f "$here/$2/$3" --build-arg "BASE=$BASE"
}

# sources lists the files of a folder in a fixed order.
sources() { find "$1" -type f ! -name '*.pyc' | LC_ALL=C sort; }

# static compiles Go package $1 into $work/bin/$2, with linker flags $3.
static() {
	(cd "$repo" && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w ${3:-}" -o "$work/bin/$2" "$1") ||
		die "compile $1 failed"
}

# binary builds image $1 from folder $2 around the program $work/bin/$2.
binary() {
	content=$(hash_of "$here/$2/Dockerfile" "$work/bin/$2")
	fresh "$1" "$content" && return
	mkdir -p "$work/$2"
	cp "$here/$2/Dockerfile" "$work/bin/$2" "$work/$2/"
	build "$1" "$content" "$work/$2"
}

nginx() { pulled "$NGINX" || debian "$NGINX" nginx Dockerfile; }

busybox() {
	pulled "$BUSYBOX" && return
	content=$(hash_of "$here/base.sh" "$here/busybox.sh")
	fresh "$BUSYBOX" "$content" && return
	base
	began=$(date +%s)
	docker run --rm -i "$BASE" sh <"$here/busybox.sh" 2>"$work/out" >"$work/busybox.tar" ||
		{ tail -n 20 "$work/out" >&2; die "build $BUSYBOX failed"; }
	docker import --change "LABEL $LABEL=$content" --change 'ENV PATH=/bin' --change 'CMD ["sh"]' \
		"$work/busybox.tar" "$BUSYBOX" >/dev/null
	imported "$BUSYBOX" "$began"
}

toxiproxy() {
	pulled "$TOXIPROXY" && return
	static github.com/Shopify/toxiproxy/v2/cmd/server toxiproxy \
		"-X github.com/Shopify/toxiproxy/v2.Version=${TOXIPROXY##*:}"
	binary "$TOXIPROXY" toxiproxy
}

relay() {
	static ./docker/relay relay
	binary "$RELAY" relay
}

origin() {
	busybox
	static ./cmd/origin origin
	binary "$ORIGIN" origin
}

streamproof() {
	static ./cmd/streamproof streamproof
	binary "$STREAMPROOF" streamproof
}

# fastapi runs on the newest releases where an official Python can be had, and
# on Debian's packages where not.
fastapi() {
	newest=new-$(hash_of $(sources "$here/fastapi"))
	fresh "$FASTAPI" "$newest" && return
	fresh "$FASTAPI" "$(debian_content fastapi)" && return
	if pulled "$(sed -n 's/^FROM //p' "$here/fastapi/Dockerfile")"; then
		build "$FASTAPI" "$newest" "$here/fastapi"
	else
		debian "$FASTAPI" fastapi Dockerfile.debian
	fi
}

command -v docker >/dev/null || die "docker is not installed"
docker info >/dev/null 2>"$work/err" || die "docker does not answer: $(tail -n 1 "$work/err")"
[ $# -gt 0 ] || set -- nginx busybox toxiproxy relay origin fastapi
for image in "$@"; do
	case $image in
	nginx | busybox | toxiproxy | relay | origin | fastapi | streamproof) "$image" ;;
	*) die "unknown image $image (known: nginx busybox toxiproxy relay origin fastapi streamproof)" ;;
	esac
done
