# Sourced by the other scripts: makes .venv from a hashed lock, once per change of that lock.
#   ensure_venv demo|dev      the lock to install; everything it prints goes to standard error
# PROVISOR_PYTHON names the interpreter (default: python3).

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

ensure_venv() {
    local lock=requirements.lock
    [ "$1" = dev ] && lock=requirements-dev.lock
    local venv=$root/.venv python=${PROVISOR_PYTHON:-python3}
    local stamp=$venv/.installed-$1 want
    want=$(cat "$root/$lock" "$root/pyproject.toml" | sha256sum)
    if [ -x "$venv/bin/provisor" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        return
    fi
    if ! command -v "$python" >/dev/null; then
        say "There is no $python. Install Python 3.11 or newer, or name one: PROVISOR_PYTHON=/path/to/python3 $0"
        exit 1
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "$python is $("$python" -V 2>&1); Provisor needs 3.11 or newer. Name another: PROVISOR_PYTHON=/path/to/python3 $0"
        exit 1
    fi
    if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        say "Making a virtual environment in .venv"
        if ! "$python" -m venv --clear "$venv" >&2; then
            say "$python cannot make virtual environments. On Debian: apt-get install python3-venv; then run this again."
            exit 1
        fi
    fi
    say "Installing from $lock (once)"
    # The lock is complete. With --no-deps pip resolves nothing: a newer release of something that a package asks for
    # with an extra (coverage[toml]) made older pips refuse the lock.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r "$root/$lock" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root" >&2
    printf '%s' "$want" >"$stamp"
}

# help "$1": prints the comment at the top of the script that calls it, when asked for.
help() {
    case "${1:-}" in
    -h | --help)
        sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    esac
}
