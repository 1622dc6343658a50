.PHONY: check test demo

# All that CI runs. Installs what a bare Debian machine lacks.
check:
	./scripts/check.sh

# Quick: SQLite only, unless FELTBOK_TEST_POSTGRES names a server.
test:
	go test ./...

demo:
	go run ./cmd/feltbok demo
