#!/bin/sh
# Puts $POLICY_PKG_PATH before what Python imports from, once, and starts what the image starts by itself.
if [ -n "${POLICY_PKG_PATH:-}" ]; then
  policy_path=
  policy_seen=
  policy_rest=${PYTHONPATH:-}:
  while [ -n "$policy_rest" ]; do
    policy_part=${policy_rest%%:*}
    policy_rest=${policy_rest#*:}
    if [ -z "$policy_part" ]; then continue; fi
    if [ "${policy_part%/}" = "${POLICY_PKG_PATH%/}" ]; then
      if [ -n "$policy_seen" ]; then continue; fi
      policy_seen=yes
    fi
    policy_path=${policy_path:+$policy_path:}$policy_part
  done
  if [ -z "$policy_seen" ]; then policy_path=$POLICY_PKG_PATH${policy_path:+:$policy_path}; fi
  export PYTHONPATH="$policy_path"
fi
exec /start-daemon.sh "$@"
