#!/usr/bin/env bash
# Everything that must hold before a change lands: form, analysis, tests on both engines, crash tests, and a walk
# through the demo in a browser. Installs what a bare Debian machine lacks; needs Go itself.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
browser=test/browser

tmp=$(mktemp -d)
chmod 711 "$tmp" # the user postgres passes through
mkdir "$tmp/tmp"
export TMPDIR=$tmp/tmp # whatever a killed program leaves behind goes too
now=setup

# The race detector can say nothing of these that concerns us, and takes long to try. SQLite, its C library and its
# allocator are C translated to Go, whose memory it does not see; a template's or a text's parser shares nothing while
# it works. Only packages that instantiate no generic code of others: the linker keeps one copy of what packages
# instantiate alike, and a sync.OnceValue compiled without the detector would hide its order from it.
undetected=(-gcflags={modernc.org/sqlite/lib,modernc.org/libc,modernc.org/memory,text/template/parse,github.com/BurntSushi/toml})

finish() {
  local status=$?
  [[ ! -f $tmp/pg/postmaster.pid ]] || as_postgres "$pgbin/pg_ctl" stop -D "$tmp/pg" -m immediate >/dev/null || true
  rm -rf "$tmp"
  if ((status == 0)); then echo "== all is well, $SECONDS s"; else echo "== FAILED: $now" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT # or finish would see the status of the command before
trap 'exit 143' TERM

# step NAME COMMAND... says how long the command took.
step() {
  now=$1
  local start=$SECONDS
  shift
  echo "== $now"
  "$@"
  echo "   $((SECONDS - start)) s"
}

has() { command -v "$1" >/dev/null; }
# Debian keeps the server's programs out of PATH, in a folder for each version.
postgres_bin() {
  dirname "$(command -v initdb || printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)"
}

install_missing() {
  has go || { echo "Go is missing: install the version that go.mod names" >&2; return 1; }
  local packages=()
  has gcc || packages+=(gcc libc6-dev) # the race detector
  [[ -x $(postgres_bin)/initdb ]] || packages+=(postgresql)
  has chromium || has chromium-browser || has google-chrome || packages+=(chromium)
  has node || packages+=(nodejs)
  has npm || packages+=(npm)
  # Calendar programs that are shown our invitations; the last is the calendar of GNOME, which a script speaks to.
  has khal || packages+=(khal)
  has radicale || packages+=(radicale)
  if [[ ! -x /usr/libexec/evolution-calendar-factory ]] || ! has dbus-run-session ||
    ! /usr/bin/python3 -c 'import gi; gi.require_version("ECal", "2.0")' 2>/dev/null; then
    packages+=(evolution-data-server gir1.2-ecal-2.0 python3-gi dbus-daemon)
  fi
  if ((${#packages[@]})); then
    local sudo=()
    ((EUID == 0)) || sudo=(sudo)
    if ! has apt-get || ! has "${sudo[0]:-true}"; then
      echo "missing, and not to be had by apt-get here; please install: ${packages[*]}" >&2
      return 1
    fi
    "${sudo[@]}" apt-get update -qq
    echo "   installing ${packages[*]}"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=600 "${packages[@]}" >"$tmp/apt.log" || { cat "$tmp/apt.log" >&2; return 1; }
  fi
  # npm leaves this copy of the lock file behind its own work.
  [[ $browser/node_modules/.package-lock.json -nt $browser/package-lock.json ]] ||
    (cd "$browser" && npm ci --no-audit --no-fund --loglevel=error)
}

formatted() {
  local files
  files=$(gofmt -l .)
  [[ -z $files ]] || { printf 'not formatted:\n%s\n' "$files" >&2; return 1; }
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if ((EUID == 0)); then (cd "$tmp" && runuser -u postgres -- "$@"); else "$@"; fi
}

# A server of our own that forgets everything: no fsync, gone at the end.
start_postgres() {
  pgbin=$(postgres_bin)
  mkdir "$tmp/pg"
  ((EUID != 0)) || chown postgres "$tmp/pg"
  local port
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
  as_postgres "$pgbin/initdb" -D "$tmp/pg" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  cat >>"$tmp/pg/postgresql.conf" <<-END
	listen_addresses = '127.0.0.1'
	port = $port
	unix_socket_directories = '$tmp/pg'
	max_connections = 300
	fsync = off
	full_page_writes = off
	END
  as_postgres "$pgbin/pg_ctl" start -w -D "$tmp/pg" -l "$tmp/pg/log" >/dev/null || { cat "$tmp/pg/log" >&2; return 1; }
  export FELTBOK_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

# Crash tests kill the program at points that only this build tag compiles in.
crash_tests() {
  local dirs
  dirs=$(grep -rlE --include='*_test.go' --exclude-dir=node_modules '^func Test\w*Crash' . | xargs -r dirname | sort -u) ||
    true # grep found none
  [[ -n $dirs ]] || { echo "   none"; return; }
  # shellcheck disable=SC2086 # one argument for each folder
  go test -tags crashpoints -count=1 -timeout 20m -run Crash $dirs
}

browser_walk() {
  CGO_ENABLED=0 go build -buildvcs=false -o "$tmp/feltbok" ./cmd/feltbok
  FELTBOK_BIN=$tmp/feltbok node "$browser/walk.mjs"
}

step "install what is missing" install_missing
step "gofmt" formatted
step "go mod tidy" go mod tidy -diff
step "go vet" go vet ./...
step "go vet, crash points" go vet -tags crashpoints ./...
step "staticcheck" go run "$staticcheck" ./...
step "PostgreSQL" start_postgres
step "hostile files, measured" go test -p 1 ./internal/tabular ./scheduling/ical
export FELTBOK_TEST_CALENDARS=1 # a missing calendar program is a failure here
step "tests, shuffled, race detector, both engines" go test -race "${undetected[@]/%/=-race=false}" -shuffle=on -timeout 20m ./...
step "broken calendars, ten seconds of them" go test -run - -fuzz FuzzReadBusy -fuzztime 10s ./scheduling/ical
step "crash tests" crash_tests
step "browser walk" browser_walk
