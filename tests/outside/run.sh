#!/bin/sh
# Runs the tests that read what lies beside the clone: each file check_* here, which gets the folder as its argument and
# ends with "N passed, N failed". WEIR_OUTSIDE names the folder when it lies elsewhere.
set -u
cd "$(dirname "$0")/../.." || exit 1
outside=${WEIR_OUTSIDE:-../shared}
passed=0
failed=0
for check in tests/outside/check_*; do
    echo "$check"
    output=$(timeout 3000 "$check" "$outside" 2>&1)
    status=$?
    echo "$output"
    sum=$(echo "$output" | tail -n 1 | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    [ -n "$sum" ] || sum="0 1"
    [ "$status" -eq 0 ] || [ "${sum#* }" -ne 0 ] || sum="${sum% *} 1"
    passed=$((passed + ${sum% *}))
    failed=$((failed + ${sum#* }))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
