.PHONY: check test soak demo

# All that CI runs. Installs what a bare Debian machine lacks.
check:
	./scripts/check.sh

# Quick: SQLite only, unless FELTBOK_TEST_POSTGRES names a server.
test:
	go test ./...

# The promises that are counted, at full size. Takes a while.
soak:
	FELTBOK_TEST_FULL=1 go test -count=1 -timeout 60m ./internal/audit ./consents ./scheduling
	FELTBOK_TEST_FULL=1 go test -count=1 -timeout 60m -run 'FullDisk|BackupUnderLoad' ./cmd/feltbok
	FELTBOK_TEST_FULL=1 go test -tags crashpoints -count=1 -timeout 60m -run CrashedEnd ./cmd/feltbok

demo:
	go run ./cmd/feltbok demo
