# Makes one network of this host what it should be, and says what it had to change: "changed WHAT" for each, "unfit WHY" for what it cannot.
# Variables: BRIDGE SEGMENT VNI MTU LOCAL PEERS ROUTER ROUTER_PORT UPLINK GATEWAY PREFIX GATEWAY_MAC UPLINK_ADDRESS UPLINK_GATEWAY DIR RELOAD
set -eu
export PATH=$PATH:/usr/sbin:/sbin
changed() { echo "changed $*"; }
line() { ip -o -d link show dev "$1" 2> /dev/null || true; }
inside() { ip netns exec "$ROUTER" "$@"; }
# looks DEVICE WHAT WORD COMMAND…: where the device's line lacks the word, the command is run.
looks() {
    local device=$1 what=$2 word=$3; shift 3
    case "$(line "$device")" in *"$word"*) return 0 ;; esac
    "$@"; changed "$what"
}
looks_inside() {
    local device=$1 what=$2 word=$3; shift 3
    case "$(ip -n "$ROUTER" -o -d link show dev "$device" 2> /dev/null || true)" in *"$word"*) return 0 ;; esac
    "$@"; changed "$what"
}

[ -n "$(line "$BRIDGE")" ] || { ip link add "$BRIDGE" type bridge stp_state 0 mcast_snooping 0; ip link set "$BRIDGE" addrgenmode none; changed "the bridge"; }
looks "$BRIDGE" "the bridge's MTU" "mtu $MTU " ip link set "$BRIDGE" mtu "$MTU"
looks "$BRIDGE" "the bridge, which was down" ",UP" ip link set "$BRIDGE" up

segment=$(line "$SEGMENT")
case "$segment" in
    *" vxlan id $VNI "*"local $LOCAL "*"dstport 4789 "*) ;;
    *)
        [ -z "$segment" ] || ip link del "$SEGMENT"
        ip link add "$SEGMENT" type vxlan id "$VNI" local "$LOCAL" dstport 4789
        ip link set "$SEGMENT" addrgenmode none
        changed "the VXLAN device" ;;
esac
looks "$SEGMENT" "the VXLAN device's MTU" "mtu $MTU " ip link set "$SEGMENT" mtu "$MTU"
looks "$SEGMENT" "the VXLAN device's place on the bridge" "master $BRIDGE " ip link set "$SEGMENT" master "$BRIDGE"
looks "$SEGMENT" "the VXLAN device, which was down" ",UP" ip link set "$SEGMENT" up

present=$(bridge fdb show dev "$SEGMENT" | awk '$1 == "00:00:00:00:00:00" { for (i = 1; i < NF; i++) if ($i == "dst") print $(i + 1) }')
for peer in $PEERS; do
    echo "$present" | grep -qxF "$peer" || { bridge fdb append 00:00:00:00:00:00 dev "$SEGMENT" dst "$peer"; changed "the way to $peer"; }
done
for peer in $present; do
    case " $PEERS " in *" $peer "*) ;; *) bridge fdb del 00:00:00:00:00:00 dev "$SEGMENT" dst "$peer"; changed "a way to $peer, which has no guest here" ;; esac
done

if ! ip -n "$ROUTER" link show dev lo > /dev/null 2>&1; then
    ip netns del "$ROUTER" 2> /dev/null || true
    ip netns add "$ROUTER"
    changed "the router"
fi
looks_inside lo "the router's loopback" ",UP" ip -n "$ROUTER" link set lo up
port() { # NAME INSIDE
    [ -n "$(line "$1")" ] && ip -n "$ROUTER" link show dev "$2" > /dev/null 2>&1 && return 0
    ip link del "$1" 2> /dev/null || true
    ip link add "$1" type veth peer name "$2" netns "$ROUTER"
    ip link set "$1" addrgenmode none
    changed "the router's port $2"
}
address() { # INSIDE WHAT ADDRESS…
    local device=$1 what=$2; shift 2
    ip -n "$ROUTER" -o -4 addr show dev "$device" | grep -qF "inet $1 " || { ip -n "$ROUTER" addr add "$@" dev "$device"; changed "$what"; }
}
port "$ROUTER_PORT" guests
looks "$ROUTER_PORT" "the router's MTU" "mtu $MTU " ip link set "$ROUTER_PORT" mtu "$MTU"
looks "$ROUTER_PORT" "the router's place on the bridge" "master $BRIDGE " ip link set "$ROUTER_PORT" master "$BRIDGE"
looks "$ROUTER_PORT" "the router's port, which was down" ",UP" ip link set "$ROUTER_PORT" up
looks_inside guests "the gateway's MAC address" "link/ether $GATEWAY_MAC " ip -n "$ROUTER" link set guests address "$GATEWAY_MAC"
looks_inside guests "the gateway's MTU" "mtu $MTU " ip -n "$ROUTER" link set guests mtu "$MTU"
looks_inside guests "the gateway, which was down" ",UP" ip -n "$ROUTER" link set guests up
address guests "the gateway's address" "$GATEWAY/$PREFIX"

port "$UPLINK" uplink
ip -o -4 addr show dev "$UPLINK" | grep -qF "inet $UPLINK_GATEWAY peer $UPLINK_ADDRESS/32 " || { ip addr flush dev "$UPLINK"; ip addr add "$UPLINK_GATEWAY" peer "$UPLINK_ADDRESS/32" dev "$UPLINK"; changed "the uplink's address"; }
looks "$UPLINK" "the uplink, which was down" ",UP" ip link set "$UPLINK" up
looks_inside uplink "the router's uplink, which was down" ",UP" ip -n "$ROUTER" link set uplink up
address uplink "the router's uplink address" "$UPLINK_ADDRESS" peer "$UPLINK_GATEWAY/32"
ip -n "$ROUTER" -4 route show default | grep -qF "via $UPLINK_GATEWAY " || { ip -n "$ROUTER" route replace default via "$UPLINK_GATEWAY" dev uplink; changed "the router's way out"; }
[ "$(inside cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || { inside sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'; changed "the router, which did not forward"; }
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || { echo 1 > /proc/sys/net/ipv4/ip_forward; changed "the host, which did not forward"; }

pid=$(cat "$DIR/dnsmasq.pid" 2> /dev/null || true)
if [ -n "$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF "$DIR/dnsmasq.conf" && [ "$(readlink "/proc/$pid/ns/net")" = "$(inside readlink /proc/self/ns/net)" ]; then
    [ -z "$RELOAD" ] || kill -HUP "$pid"
else
    [ -z "$pid" ] || ! tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF "$DIR/dnsmasq.conf" || kill -9 "$pid"
    inside dnsmasq --conf-file="$DIR/dnsmasq.conf"
    changed "DHCP and name service"
fi

device=$(ip -o -4 addr show to "$LOCAL" | awk '{ print $2; exit }')
if [ -z "$device" ]; then
    echo "unfit the tunnel address $LOCAL is on no interface of this host"
else
    under=$(ip -o link show dev "${device%%@*}" | sed 's/.* mtu \([0-9]*\) .*/\1/')
    [ -z "$PEERS" ] || [ "$device" = lo ] || [ "$under" -ge $((MTU + 50)) ] || echo "unfit $device carries frames of $under bytes and the network needs $((MTU + 50)); raise its MTU"
fi
