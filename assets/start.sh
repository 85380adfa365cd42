#!/bin/sh
# Sets DendView up on this machine and starts it.
#
#   sh assets/start.sh               open the window on a sample cell (without a display: run the demonstration headless)
#   sh assets/start.sh test [ARGS]   install the test tools too and run the test suite (ARGS go to pytest)
#   sh assets/start.sh run [ARGS]    set up, then run `dendview ARGS`
#
# Installs only what is missing: on Debian and Ubuntu the system libraries Qt needs (as root or through sudo), then a
# virtual environment in .venv. Elsewhere it says which libraries it could not find.
set -eu
cd "$(dirname "$0")/.."

mode=${1:-open}
[ $# -gt 0 ] && shift
case $mode in
  open | test | run) ;;
  *)
    echo "start.sh: unknown word '$mode'; use: sh assets/start.sh [test|run] [ARGS]" >&2
    exit 2
    ;;
esac

say() { printf '%s\n' "dendview: $*"; }

has_display() {
  [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]
}

# ---- system libraries ---------------------------------------------------------------------------------------------

python_package() { # the interpreter's own shared library: NEURON's compiler links against it
  "$1" -c 'import sys; print("libpython%d.%d" % sys.version_info[:2])'
}

is_installed() { # also under the name it got in the 64-bit time transition (Ubuntu 24.04, Debian 13)
  for name in "$1" "$1t64"; do
    case $(dpkg-query -W -f='${Status}' "$name" 2>/dev/null || true) in
      "install ok installed") return 0 ;;
    esac
  done
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    return 1
  fi
}

install_debian_packages() {
  wanted="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
  if [ "$mode" = test ] || ! has_display; then wanted="$wanted xvfb xauth"; fi
  if [ "$mode" = test ]; then wanted="$wanted g++ make"; fi
  if ! find_python; then wanted="$wanted python3 python3-venv"; fi
  if [ -n "$python" ]; then
    "$python" -c 'import ensurepip' 2>/dev/null || wanted="$wanted python3-venv"
    case $(command -v "$python") in
      /usr/bin/*) [ "$mode" != test ] || wanted="$wanted $(python_package "$python")" ;;
    esac
  fi
  missing=""
  for package in $wanted; do is_installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  say "installing the missing system packages:$missing"
  if ! as_root apt-get update -qq; then
    say "cannot become root; run this, then start again:  apt-get install$missing" >&2
    exit 1
  fi
  names=""
  for package in $missing; do
    if apt-cache show "$package" >/dev/null 2>&1; then names="$names $package"; else names="$names ${package}t64"; fi
  done
  # shellcheck disable=SC2086
  as_root apt-get install -y -qq --no-install-recommends $names >/dev/null
}

check_other_linux() {
  missing=""
  for library in libEGL.so.1 libGL.so.1 libglib-2.0.so.0 libdbus-1.so.3 libfontconfig.so.1 libxkbcommon-x11.so.0 \
    libxcb-cursor.so.0 libxcb-icccm.so.4 libxcb-keysyms.so.1 libxcb-shape.so.0; do
    ldconfig -p 2>/dev/null | grep -q "$library" || missing="$missing $library"
  done
  if [ -n "$missing" ]; then
    say "these libraries were not found; if the window does not open, install them:$missing" >&2
  fi
  if { [ "$mode" = test ] || ! has_display; } && ! command -v Xvfb >/dev/null 2>&1; then
    say "Xvfb was not found; without a display it is needed: install your system's Xvfb package" >&2
  fi
}

# ---- Python -------------------------------------------------------------------------------------------------------

find_python() {
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1 &&
      "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      return 0
    fi
  done
  python=""
  return 1
}

install_project() {
  extras=""
  [ "$mode" = test ] && extras="test"
  if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi >/dev/null 2>&1; then extras="${extras:+$extras,}gpu"; fi
  stamp=".venv/installed-${extras:-plain}"
  if [ -x .venv/bin/dendview ] && [ -e "$stamp" ] && [ "$stamp" -nt pyproject.toml ]; then return 0; fi
  if [ ! -x .venv/bin/python ]; then
    say "making a virtual environment in .venv"
    "$python" -m venv .venv
  fi
  say "installing DendView and what it needs (about 1 GB, a minute or two)"
  .venv/bin/python -m pip install -q --disable-pip-version-check -e ".${extras:+[$extras]}"
  : >"$stamp"
}

# ---- go -----------------------------------------------------------------------------------------------------------

python=""
if [ "$(uname -s)" = Linux ]; then
  if command -v apt-get >/dev/null 2>&1; then install_debian_packages; else check_other_linux; fi
fi
if ! find_python; then
  say "Python 3.11 or newer was not found; install it and start again" >&2
  exit 1
fi
install_project

case $mode in
  test) exec .venv/bin/python -m pytest -n auto --dist worksteal "$@" ;;
  run) exec .venv/bin/dendview "$@" ;;
  open)
    if has_display; then exec .venv/bin/dendview sample:human_l23; fi
    say "no display here, so the demonstration runs without a window"
    exec .venv/bin/dendview demo --out demo-out
    ;;
esac
