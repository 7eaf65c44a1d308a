#!/bin/sh
# Lives beside a test process and outlives it, however it ends: reads on standard input what was started and made, one a line,
# and when the input closes ends and removes it.
#
#   process PID START_TIME     as @klassic/lab's `identify` tells it: a pid may belong to another process by then
#   folder PATH | container NAME | network NAME

# Ctrl-C reaches the whole group: the work begins when the input closes, not before.
trap '' INT TERM HUP

start_time() { # PID: nothing when there is no such process, or it is dead and not collected yet
  if [ -d /proc/self ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The command in brackets may hold blanks; what follows the last one begins with the state, field 3.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    case $1 in Z | X) ;; *) echo "${20}" ;; esac
  else
    # shellcheck disable=SC2046
    set -- $(ps -o lstart= -p "$1")
    echo "$*"
  fi
}

processes='' folders='' containers='' networks=''
newline='
'
while read -r kind name rest; do
  case $kind in
    process) processes="$processes$name $rest$newline" ;;
    folder) folders="$folders$name${rest:+ $rest}$newline" ;;
    container) containers="$containers $name" ;;
    network) networks="$networks $name" ;;
  esac
done

still_alive() {
  printf %s "$processes" | while read -r pid start; do
    if [ "$(start_time "$pid")" = "$start" ]; then
      kill -9 "$pid" 2>/dev/null
      echo "$pid"
    fi
  done
}
tries=0
while [ -n "$(still_alive)" ] && [ "$tries" -lt 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
# shellcheck disable=SC2086
[ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null 2>&1
# shellcheck disable=SC2086
[ -z "$networks" ] || docker network rm $networks >/dev/null 2>&1
printf %s "$folders" | while read -r folder; do
  rm -rf "$folder"
done
