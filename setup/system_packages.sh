#!/bin/bash
# Makes sure that the libraries which no Python package brings are on the machine.
#
#   setup/system_packages.sh headless|window|tests|browser
#
# "headless" is enough to analyse files, "window" adds what a real screen and real sound need, and
# "tests" the sound server that the tests start and stop. "browser" is a headless Chromium, which
# only the tests of HTML reports need: they are skipped without it, so `make test` does not ask for
# it, but CI does. What is there already is found by library, not by package, since package names
# differ between Debian and Ubuntu releases. Missing packages are installed when run as root; else
# the command to run is printed and the exit code is 1.
set -euo pipefail

# library                    package on Debian and Ubuntu
headless='
libstdc++.so.6               libstdc++6
libEGL.so.1                  libegl1
libGL.so.1                   libgl1
libGLESv2.so.2               libgles2
libxkbcommon.so.0            libxkbcommon0
libfontconfig.so.1           libfontconfig1
libdbus-1.so.3               libdbus-1-3
libglib-2.0.so.0             libglib2.0-0
libgthread-2.0.so.0          libglib2.0-0
libportaudio.so.2            libportaudio2
'
window='
libxkbcommon-x11.so.0        libxkbcommon-x11-0
libxcb-cursor.so.0           libxcb-cursor0
libxcb-icccm.so.4            libxcb-icccm4
libxcb-keysyms.so.1          libxcb-keysyms1
libxcb-image.so.0            libxcb-image0
libxcb-render-util.so.0      libxcb-render-util0
libxcb-shape.so.0            libxcb-shape0
libxcb-randr.so.0            libxcb-randr0
libxcb-xkb.so.1              libxcb-xkb1
libwayland-client.so.0       libwayland-client0
libwayland-cursor.so.0       libwayland-cursor0
libwayland-egl.so.1          libwayland-egl1
libpulse.so.0                libpulse0
libasound_module_pcm_pulse.so  libasound2-plugins
'

tests='
libasound_module_pcm_pulse.so  libasound2-plugins
'
# command                    package
test_commands='
pulseaudio                   pulseaudio
paplay                       pulseaudio-utils
'

commands=
case "${1:-}" in
headless) wanted=$headless ;;
window) wanted=$headless$window ;;
tests) wanted=$headless$tests commands=$test_commands ;;
browser) wanted= ;;
*)
    echo "usage: setup/system_packages.sh headless|window|tests|browser" >&2
    exit 2
    ;;
esac

# An ordinary user's PATH often lacks the folder of ldconfig.
known=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null || true)

is_here() {
    # ALSA loads its plugins by path, so the loader's list does not name them.
    [[ $known == *"	$1 "* ]] || compgen -G "/usr/lib*/alsa-lib/$1" >/dev/null ||
        compgen -G "/usr/lib/*/alsa-lib/$1" >/dev/null
}

missing=()
need() {
    [[ " ${missing[*]} " == *" $1 "* ]] || missing+=("$1")
}

while read -r library package; do
    [[ -z $library ]] || is_here "$library" || need "$package"
done <<<"$wanted"
while read -r command package; do
    [[ -z $command ]] || command -v "$command" >/dev/null || need "$package"
done <<<"$commands"
if [[ $1 == browser ]]; then
    command -v chromium-headless-shell chromium >/dev/null || need chromium-headless-shell
fi
# Without any font Qt draws no text at all, and says little.
[[ -n $(find /usr/share/fonts /usr/local/share/fonts -name '*.[to]tf' -print -quit 2>/dev/null) ]] ||
    need fonts-dejavu-core
# Debian splits the module that makes environments from Python itself.
if [[ ! -x .venv/bin/python ]] && ! setup/find_python.sh >/dev/null 2>&1; then
    if [[ ! -x /usr/bin/python3 ]]; then
        need python3
        need python3-venv
    elif /usr/bin/python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))'; then
        need python3-venv
    fi
fi

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
    echo "affectscope: these libraries are missing, under the names that Debian gives them:" \
        "${missing[*]}" >&2
    exit 1
fi
if ((EUID != 0)); then
    echo "affectscope: system packages are missing, and installing them needs root. Run:" >&2
    echo "  sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "installing system packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
