# Makes a network for the server and one for each agent, with a link to the server's network from each agent's and from this process's own.
# Then executes the arguments. All of it is gone with the last process that is in these networks.
set -e
mount -t tmpfs none /run
mkdir /run/netns
ip netns add server
ip -n server link set lo up

# Links a network to the server's: the last part of its address, its name, and the options of `ip` that lead to it.
join() {
    number=$1 name=$2
    shift 2
    ip "$@" link set lo up
    near=02:00:00:00:01:0$number far=02:00:00:00:02:0$number
    ip "$@" link add eth address $near type veth peer name "to-$name" address $far netns server
    ip "$@" addr add "198.18.0.$number" peer 198.18.0.1 dev eth
    ip -n server addr add 198.18.0.1 peer "198.18.0.$number" dev "to-$name"
    # A link without an address of IPv6 sends nothing by itself. Some kernels have no IPv6.
    ip "$@" link set eth addrgenmode none || true
    ip -n server link set "to-$name" addrgenmode none || true
    ip "$@" link set eth up
    ip -n server link set "to-$name" up
    # Nobody asks which machine has an address: that would be a packet too.
    ip "$@" neigh replace 198.18.0.1 lladdr $far dev eth nud permanent
    ip -n server neigh replace "198.18.0.$number" lladdr $near dev "to-$name" nud permanent
}

join 2 here
ip netns add a
join 3 a -n a
ip netns add b
join 4 b -n b
exec "$@"
