#!/bin/sh
# Make the virtual environment from the pins: setup.sh run|dev|certify|certify-nautilus
#
#   run  what the program needs       dev  what its tests and checks need too
#   certify, certify-nautilus  what the program needs, and other people's clients, for environments of their own
#
# VENV names the environment (default .venv); PYTHON chooses the interpreter
# (default: the newest on the PATH that works). Done once; afterwards this
# returns at once and touches no network until the pins, pyproject.toml or the
# place of the checkout change. Ends with 77 where there is no interpreter that
# is new enough for clients that need a newer one than the program does.
set -eu
cd "$(dirname "$0")/.."

kind=$1
venv=${VENV:-.venv}
stamp=$venv/.ready
oldest=11 no_python=1 asked=PYTHON

case $kind in
run) pins='-r requirements/runtime.txt -r requirements/build.txt' ;;
dev) pins='-r requirements/dev.txt' ;;
certify) pins='-r requirements/certify.txt' ;;
certify-nautilus) pins='-r requirements/certify-nautilus.txt' oldest=12 no_python=77 asked=CERTIFY_PYTHON312 ;;
*)
    printf 'set-up: expected run, dev, certify or certify-nautilus, got %s\n' "'$kind'" >&2
    exit 1
    ;;
esac

fail() {
    printf 'set-up: %s\n' "$*" >&2
    exit "${code:-1}"
}

# A name on the PATH proves little: a pyenv shim exists for versions that it then refuses to start.
runs() { "$1" -c "import sys; sys.exit(sys.version_info < (3, $oldest))" >/dev/null 2>&1; }
complete() { "$1" -c 'import ensurepip, ssl, venv' >/dev/null 2>&1; }
version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# Print the first interpreter that works. Each folder of the PATH is looked at, since a shim
# may hide a working interpreter of the same name.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        runs "$PYTHON" || fail "$asked=$PYTHON does not run, or is older than Python 3.$oldest"
        complete "$PYTHON" || fail "$asked=$PYTHON lacks venv, ensurepip or ssl (on Debian: apt install python3-venv)"
        printf '%s\n' "$PYTHON"
        return
    fi
    incomplete=
    old_ifs=$IFS
    IFS=:
    for name in python3.13 python3.12 python3.11 python3; do
        for folder in $PATH; do
            candidate=${folder:-.}/$name
            if [ -x "$candidate" ] && runs "$candidate"; then
                if complete "$candidate"; then
                    IFS=$old_ifs
                    printf '%s\n' "$candidate"
                    return
                fi
                incomplete=$candidate
            fi
        done
    done
    IFS=$old_ifs
    code=$no_python
    [ -z "$incomplete" ] ||
        fail "$incomplete lacks venv, ensurepip or ssl; install them (on Debian: apt install python3-venv) or set $asked="
    fail "no Python 3.$oldest or newer found on the PATH; install one, or name it: make $asked=/path/to/python3 ..."
}

# What the environment was made from; "dev" contains "run".
wanted() { printf '%s %s %s\n' "$1" "$PWD" "$(cat pyproject.toml requirements/*.txt | cksum)"; }

# Commands inside an environment carry its path, so one that was moved or copied is made anew.
healthy() {
    case $made in '' | *" $PWD "*) ;; *) return 1 ;; esac
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && runs "$venv/bin/python" &&
        { [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON" 2>/dev/null)" = "$(version "$venv/bin/python")" ]; }
}

made=$(cat "$stamp" 2>/dev/null || true)
if healthy; then
    [ "$made" != "$(wanted dev)" ] || exit 0
    [ "$made" != "$(wanted "$kind")" ] || exit 0
    # Once there, the tools for tests stay, and stay current.
    case $made in dev*) kind=dev pins='-r requirements/dev.txt' ;; esac
else
    python=$(find_python)
    echo "set-up: making $venv with Python $(version "$python")" >&2
    "$python" -m venv --clear "$venv" || fail "could not make $venv with $python"
fi

rm -f "$stamp"
echo "set-up: installing the pinned packages into $venv" >&2
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@"; }
# shellcheck disable=SC2086  # the pins are several words
pip install --require-hashes $pins ||
    fail "the pinned packages could not be installed; the first set-up needs a package index that pip can reach"
pip install --no-deps --no-build-isolation --editable . || fail "the project itself could not be installed"
wanted "$kind" >"$stamp"
