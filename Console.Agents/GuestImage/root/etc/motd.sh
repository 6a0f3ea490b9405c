echo
echo "Plinth guest $(hostname) ready after $(cut -d' ' -f1 /proc/uptime) s"
echo
