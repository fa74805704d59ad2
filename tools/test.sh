#!/bin/sh
# Runs the parts of the tests and adds them up; the last line is "N passed, N failed", the status 0 if nothing failed.
#
#     tools/test.sh quick      what needs the clone alone: styles, layers, unit, sql, api, docs, fault, fuzz corpus
#     tools/test.sh all        the same with thread sanitizer, every configuration (the parts get --all) and AArch64
#     tools/test.sh outside    tests/outside/run.sh, which reads data beside the clone
#
# A part is a command whose last line is "N passed, N failed". One that ends otherwise, or that fails without saying
# so in numbers, counts as a failure. Builds are made before (see the Makefile).
set -u
cd "$(dirname "$0")/.." || exit 1
goal=${1:-quick}
passed=0
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

part() {
    name=$1
    shift
    echo "== $name"
    # The status of the part is kept in a file, as a pipe gives that of its last command.
    { "$@" 2>&1; echo "$?" >"$output.status"; } | tee "$output"
    status=$(cat "$output.status")
    rm -f "$output.status"
    sum=$(tail -n 1 "$output" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p')
    if [ -z "$sum" ]; then
        echo "== $name ended without a sum (status $status)"
        sum="0 1"
    elif [ "$status" -ne 0 ] && [ "${sum#* }" -eq 0 ]; then
        echo "== $name ended with status $status"
        sum="${sum% *} 1"
    fi
    passed=$((passed + ${sum% *}))
    failed=$((failed + ${sum#* }))
}

# Runs the part of a folder, where there is one.
folder() {
    [ ! -x "tests/$1/run" ] || { script=tests/$1/run; shift; part "$script" timeout 3000 "$script" "$@"; }
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v llvm-symbolizer-14 || true)}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:external_symbolizer_path=$ASAN_SYMBOLIZER_PATH}

case "$goal" in
quick | all)
    matrix=
    presets="dev release asan"
    if [ "$goal" = all ]; then
        matrix=--all
        presets="$presets tsan"
    fi
    part "layers" tools/check_layers
    part "style" tools/check_style
    for preset in $presets; do
        part "unit tests, $preset" timeout 1200 "build/$preset/weir_unit"
        [ ! -x "build/$preset/weir_api" ] || part "api tests, $preset" timeout 1200 "build/$preset/weir_api"
    done
    [ "$goal" != all ] || part "AArch64" timeout 1200 tools/check_aarch64
    for name in sql docs fault fuzz; do folder "$name" $matrix; done
    ;;
outside)
    [ ! -x tests/outside/run.sh ] || part "tests/outside" timeout 3000 tests/outside/run.sh
    ;;
*)
    echo "usage: $0 quick|all|outside" >&2
    exit 2
    ;;
esac

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
