# Sourced by the scripts: puts the project's Node.js and pnpm on PATH and installs what the lockfile names.
# Where the machine's Node.js is recent enough it is used; else the official build is taken from npm (node-<os>-<arch>).

klassic_home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
toolchain=$klassic_home/.toolchain
node_version=24.21.0
pnpm_version=12.21.0

say() { printf 'klassic: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

node_is_recent() { # at least 22.19
  local v major minor
  v=$("$1" --version 2>/dev/null) || return 1
  v=${v#v}; major=${v%%.*}; minor=${v#*.}; minor=${minor%%.*}
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 19 ]; }
}

npm_take() { # FOLDER PACKAGE: installs one package from npm, runs none of its scripts
  mkdir -p "$1"
  [ -f "$1/package.json" ] || printf '{"private":true}\n' >"$1/package.json"
  npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "$2" >"$1/install.log" 2>&1 \
    || { cat "$1/install.log" >&2; die "npm could not install $2: is the npm registry reachable?"; }
}

use_node() {
  command -v node >/dev/null && command -v npm >/dev/null \
    || die 'Node.js with npm is needed (any version from 18): install it from https://nodejs.org or your package manager'
  if node_is_recent node; then return; fi
  local os arch bin
  case $(uname -s) in Linux) os=linux ;; Darwin) os=darwin ;; *) os=win ;; esac
  case $(uname -m) in x86_64 | amd64) arch=x64 ;; arm64 | aarch64) arch=arm64 ;; *) die "no Node.js $node_version on npm for $(uname -m): install Node.js 24 yourself" ;; esac
  bin=$toolchain/node-$node_version/node_modules/node-$os-$arch/bin
  if [ ! -x "$bin/node" ]; then
    say "this machine has Node.js $(node --version); taking $node_version from npm"
    npm_take "$toolchain/node-$node_version" "node-$os-$arch@$node_version"
    chmod +x "$bin/node"
  fi
  PATH=$bin:$PATH; export PATH
}

use_pnpm() {
  local home=$toolchain/pnpm-$pnpm_version/node_modules/pnpm
  if [ ! -f "$home/package.json" ]; then
    say "taking pnpm $pnpm_version from npm"
    npm_take "$toolchain/pnpm-$pnpm_version" "pnpm@$pnpm_version"
  fi
  local pnpm_cli=$home/bin/pnpm.mjs
  mkdir -p "$toolchain/bin"
  printf '#!/usr/bin/env bash\nexec node "%s" "$@"\n' "$pnpm_cli" >"$toolchain/bin/pnpm"
  chmod +x "$toolchain/bin/pnpm"
  PATH=$toolchain/bin:$PATH; export PATH
}

install_dependencies() {
  local stamp=$klassic_home/node_modules/.klassic-lock
  if [ -f "$stamp" ] && cmp -s "$stamp" "$klassic_home/pnpm-lock.yaml"; then return; fi
  say 'installing dependencies'
  (cd "$klassic_home" && pnpm install --frozen-lockfile --reporter=silent) || (cd "$klassic_home" && pnpm install --frozen-lockfile) \
    || die 'pnpm could not install the dependencies (see above)'
  cp "$klassic_home/pnpm-lock.yaml" "$stamp"
}

bundle=$klassic_home/packages/broker/dist/bundle/kafka-server.mjs

bundle_is_fresh() { # made of what was built last, with the dependencies that are installed
  [ -f "$bundle" ] || return 1
  local made_of
  for made_of in "$klassic_home"/packages/*/dist/.tsbuildinfo "$klassic_home/node_modules/.klassic-lock"; do
    if [ "$made_of" -nt "$bundle" ]; then return 1; fi
  done
}

build() {
  (cd "$klassic_home" && node node_modules/typescript/bin/tsc -b) || die 'the build failed (see above)'
  bundle_is_fresh || node "$klassic_home/scripts/lib/bundle.mjs" || die 'the broker could not be bundled (see above)'
}
