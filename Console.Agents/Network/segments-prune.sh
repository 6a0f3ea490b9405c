# Takes down the networks that nothing on this host needs any more: not wanted, and without a guest's interface. Says which.
# Variables: WANTED (their hashes), ROOT
set -eu
export PATH=$PATH:/usr/sbin:/sbin
for segment in $(ip -o link show type vxlan | sed -n 's/^[0-9]*: \(pv[0-9a-f]\{8\}\)[:@].*/\1/p'); do
    hash=${segment#pv}
    case " $WANTED " in *" $hash "*) continue ;; esac
    [ -z "$(ip -o link show master "plinth$hash" 2> /dev/null | sed -n 's/^[0-9]*: \(pt[0-9a-f]*\)[:@].*/\1/p')" ] || continue
    pid=$(cat "$ROOT/$hash/dnsmasq.pid" 2> /dev/null || true)
    [ -z "$pid" ] || ! tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF "$ROOT/$hash/dnsmasq.conf" || kill -9 "$pid"
    for device in "pg$hash" "pu$hash" "plinth$hash" "$segment"; do ip link del "$device" 2> /dev/null || true; done
    ip netns del "plinth-$hash" 2> /dev/null || true
    rm -rf "${ROOT:?}/$hash"
    echo "removed $hash"
done
