#!/usr/bin/env bash
# Run a job by spark-submit, on whatever conf/env/ENV.yaml says: ./spark-submit.sh --help
#
# Signals go on to what was started, and its exit code is kept. Nothing secret becomes an argument.
# Bash 3.2, as macOS has it, is enough.
set -euo pipefail
umask 077

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)

python=$root/.venv/bin/python
if [[ ! -x $python ]]; then python=${PYSPARK_PYTHON:-python3}; fi
if ! command -v -- "$python" >/dev/null; then
    printf 'headgate: %s is not found\n  Next: make install\n' "$python" >&2
    exit 2
fi

library=$root/lib lifeline=$root/lib/headgate/doors/lifeline.py
if [[ ! -d $library ]]; then # a bundle of `headgate bundle`, unpacked
    library=$root/code/headgate.zip:$root/code/suite.zip lifeline=$root/jobs/lifeline.py
fi
if [[ -d $root/jars ]]; then export HEADGATE_JARS=${HEADGATE_JARS:-$root/jars}; fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

PYTHONPATH=$library${PYTHONPATH:+:$PYTHONPATH} \
    "$python" -m headgate.doors.submit_args "$root" "$work" "$@" || exit
[[ -f $work/command ]] || exit 0 # --help or --dry-run

command=()
while IFS= read -r -d '' argument; do command+=("$argument"); done <"$work/command"

# Workers that are not told take whatever python3 comes first on their PATH.
export PYSPARK_PYTHON=${PYSPARK_PYTHON:-$python}
export PYSPARK_DRIVER_PYTHON=$python
unset PYSPARK_DRIVER_PYTHON_OPTS

child='' signalled='' status='' asked=''
# The first signal goes to the driver alone: it ends its run in good order while its JVM still
# lives, and spark-submit keeps its exit code. Where there is no driver, or it was asked before,
# everything gets it.
# shellcheck disable=SC2329  # called by the traps
pass_on() {
    signalled=$1
    [[ -n $child ]] || return 0
    local driver=''
    [[ -n $asked ]] || driver=$(pgrep -P "$child" -f 'jobs/[a-z_]+[.]py' 2>/dev/null) || driver=''
    asked=yes
    if [[ -z $driver ]] || ! kill -s "$1" "$driver" 2>/dev/null; then
        kill -s "$1" -- "-$child" 2>/dev/null || true
    fi
}
for name in TERM INT HUP; do
    # shellcheck disable=SC2064  # the name is to be expanded now
    trap "pass_on $name" "$name"
done

# Job control gives the child a process group of its own: the JVM and the driver below it.
set -m
"$python" -I "$lifeline" "${command[@]}" </dev/null &
child=$!

while :; do
    signalled='' code=0
    wait "$child" 2>/dev/null || code=$?
    [[ $code == 127 && -n $status ]] || status=$code # 127: it was waited for already
    [[ -n $signalled ]] || break
done

# In client mode the driver can outlive its JVM; it gets ten seconds to say its last words.
kill -s TERM -- "-$child" 2>/dev/null || true
for _ in {1..100}; do
    kill -0 -- "-$child" 2>/dev/null || break
    sleep 0.1
done
kill -s KILL -- "-$child" 2>/dev/null || true
exit "$status"
