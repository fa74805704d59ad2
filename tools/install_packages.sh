#!/bin/sh
# Installs the Debian packages that a goal needs and that are not there: `build` (to build), `test` (also to check) or
# `all` (to check for AArch64 too).
# Needs root or sudo only when something is missing; says what is missing when it cannot install.
set -eu

build_packages="build-essential cmake ninja-build pkg-config git libzstd-dev liblz4-dev libdeflate-dev zlib1g-dev
libbrotli-dev libxxhash-dev libpcre2-dev libmimalloc-dev libsnappy-dev tzdata unicode-data"
all_packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"
test_packages="clang-14 libclang-rt-14-dev llvm-14 clang-format-14"

case "${1:-build}" in
build) packages=$build_packages ;;
test) packages="$build_packages $test_packages" ;;
all) packages="$build_packages $test_packages $all_packages" ;;
*)
    echo "usage: $0 build|test|all" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "not a Debian system: make sure that these are there, under their names here:" $packages >&2
    exit 0
fi

missing=
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    echo "these Debian packages are missing, and neither root nor sudo is there to install them:" >&2
    echo "    apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing"
$as_root apt-get -q update
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
