#!/bin/sh
# Installs the executable of udp-chat, and its manual pages, for the system that this runs on.
#
# It downloads the archive, refuses one whose SHA-256 is not that in SHA256SUMS, and tries the
# executable before it replaces one that is there.
#
#   UDP_CHAT_VERSION      the version; default: the one that this file came with
#   UDP_CHAT_INSTALL_DIR  the folder of the executable; default: ~/.local/bin
#   UDP_CHAT_BASE_URL     where the archive and SHA256SUMS are, https:// or file:// with a path;
#                         default: the release
set -eu

version=${UDP_CHAT_VERSION:-@version@}
base=${UDP_CHAT_BASE_URL:-@repository@/releases/download/v$version}
folder=${UDP_CHAT_INSTALL_DIR:-${HOME:?is not set; set UDP_CHAT_INSTALL_DIR}/.local/bin}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# The target of this system, as the names of the archives have it.
target() {
  machine=$(uname -m)
  case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
  esac
  case $(uname -s) in
    Linux) system=unknown-linux-gnu ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no archive for $(uname -s); on Windows, unpack the zip file of the release" ;;
  esac
  # A shell that Rosetta translates calls the machine by the other name.
  if [ "$system" = apple-darwin ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then
    machine=aarch64
  fi
  case $machine in
    x86_64 | aarch64) echo "$machine-$system" ;;
    *) fail "there is no archive for $machine" ;;
  esac
}

# download URL FILE
download() {
  case $1 in
    file://*) cp "${1#file://}" "$2" ;;
    https://*)
      if has curl; then
        curl --proto =https --fail --silent --show-error --location --output "$2" "$1"
      elif has wget; then
        wget --quiet --output-document "$2" "$1"
      else
        fail "curl or wget is needed"
      fi
      ;;
    *) fail "expected https:// or file://, got $1" ;;
  esac || fail "cannot download $1"
}

# sha256 FILE
sha256() {
  if has sha256sum; then
    set -- "$(sha256sum <"$1")"
  elif has shasum; then
    set -- "$(shasum -a 256 <"$1")"
  elif has openssl; then
    set -- "$(openssl dgst -sha256 -r <"$1")"
  else
    fail "sha256sum, shasum or openssl is needed, to verify the archive"
  fi
  echo "${1%% *}"
}

# verify FILE: its line in SHA256SUMS, which is beside it, must have its sum.
verify() {
  expected=$(awk -v name="${1##*/}" '$2 == name { print $1 }' "${1%/*}/SHA256SUMS")
  [ -n "$expected" ] || fail "SHA256SUMS does not name ${1##*/}"
  sum=$(sha256 "$1") || exit 1
  [ "$sum" = "$expected" ] ||
    fail "${1##*/} is not what SHA256SUMS says: nothing is installed"
}

# install_pages FROM: beside a folder bin, where man looks for them.
install_pages() {
  [ "${folder##*/}" = bin ] || return 0
  pages=${folder%/bin}/share/man/man1
  if mkdir -p "$pages" 2>/dev/null && cp "$1"/*.1 "$pages/" 2>/dev/null; then return 0; fi
  echo "The manual pages cannot be written to $pages" >&2
}

main() {
  stem=udp-chat-$version-$(target)
  # What root installs is for all.
  if [ "$(id -u)" = 0 ]; then umask 022; fi
  work=$(mktemp -d)
  draft=
  trap 'rm -rf "$work" "$draft"' EXIT
  trap 'exit 1' HUP INT TERM
  download "$base/SHA256SUMS" "$work/SHA256SUMS"
  download "$base/$stem.tar.gz" "$work/$stem.tar.gz"
  verify "$work/$stem.tar.gz"
  tar -xzf "$work/$stem.tar.gz" -C "$work"
  mkdir -p "$folder"
  folder=$(CDPATH='' cd -- "$folder" && pwd)
  [ ! -d "$folder/udp-chat" ] || fail "$folder/udp-chat is a folder; set UDP_CHAT_INSTALL_DIR"
  draft=$folder/.udp-chat-$$
  cp "$work/$stem/udp-chat" "$draft"
  # Tried where it will be: some systems start nothing in the folder of temporary files.
  shown=$("$draft" --version) ||
    fail "the executable does not start here; on Linux it needs glibc"
  # In one step: the one that is there may be running.
  mv -f "$draft" "$folder/udp-chat"
  install_pages "$work/$stem/man"
  echo "Installed $shown as $folder/udp-chat"
  case ":$PATH:" in
    *":$folder:"*) ;;
    *) echo "$folder is not in your PATH" ;;
  esac
}

# At the end, so that half a file does nothing.
main
