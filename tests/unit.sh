#!/bin/sh
# Runs unit-test programs one by one; shows the whole output of those that fail. Closes with one line of counts.
set -u
passed=0 failed=0 skipped=0
for t; do
	log=$t.log
	timeout 300 "$t" >"$log" 2>&1
	status=$?
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	s=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	# A program that died or ran nothing has failed, whatever it printed before; one that left everything out says so.
	if [ "$status" -ne 0 ] || [ "$((${p:-0} + ${s:-0}))" -eq 0 ]; then
		[ "${f:-0}" -gt 0 ] || f=1
		echo "FAILED (exit $status): $t"
		cat "$log"
	fi
	grep -h '^SKIP:' "$log"
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
