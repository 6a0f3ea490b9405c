# Sourced by ./start and ./test: Debian packages by purpose, and how to get them.
PACKAGES_BUILD="gcc libc6-dev zlib1g-dev"
PACKAGES_GUEST="busybox-static cpio dosfstools fdisk mtools qemu-utils syslinux syslinux-common xz-utils"
PACKAGES_HOST="dnsmasq-base iproute2 iptables libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-system nftables ovmf procps qemu-system-x86 qemu-utils swtpm swtpm-tools xorriso"
PACKAGES_TEST="chromium curl iputils-arping iputils-ping jq postgresql sqlite3"
PACKAGES_SLOW="e2fsprogs fdisk mmdebstrap"

# install_packages YES PACKAGE…: installs what is missing; asks first unless YES is set.
install_packages() {
  local yes=$1 missing=() p
  shift
  for p in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || { echo "These packages are missing, and this is not Debian or Ubuntu: ${missing[*]}" >&2; return 1; }
  if [ -z "$yes" ]; then
    [ -t 0 ] || { echo "These packages are missing: ${missing[*]}. Run again with --yes to install them." >&2; return 1; }
    read -r -p "Install ${missing[*]}? [y/N] " answer
    [[ $answer == [yY]* ]] || { echo "Not installed. Nothing was changed." >&2; return 1; }
  fi
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  echo "Installing ${missing[*]} …"
  local log
  log=$(mktemp)
  if ! { "${sudo[@]}" apt-get -q update && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "Installing packages failed; the whole output is in $log" >&2
    return 1
  fi
  rm -f "$log"
}

# start_libvirt: libvirt answers on qemu:///system, started by systemd where there is one and by hand otherwise.
start_libvirt() {
  if ! virsh -c qemu:///system version >/dev/null 2>&1; then
    if [ -d /run/systemd/system ]; then
      systemctl start libvirtd
    else
      # As udev does where it runs. libvirt asks QEMU anew at each call, for many seconds, while root may use KVM and its own user may not.
      [ ! -c /dev/kvm ] || { chgrp kvm /dev/kvm && chmod 660 /dev/kvm; } || echo "The owner of /dev/kvm could not be set: starting VMs will take long." >&2
      pgrep -x virtlogd >/dev/null || virtlogd -d
      "$(dirname "${BASH_SOURCE[0]}")/../../Console.Agents/Packaging/forget-unstarted"
      libvirtd -d
    fi
    for _ in $(seq 100); do
      virsh -c qemu:///system version >/dev/null 2>&1 && return 0
      sleep 0.1
    done
    return 1
  fi
}
