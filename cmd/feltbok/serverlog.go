package main

import (
	"log"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
)

// serverLog writes what net/http has to say, such as failed TLS handshakes, to our own log, without the addresses of
// those who visited: net/http puts them into its text.
type serverLog struct{}

func newServerLog() *log.Logger { return log.New(serverLog{}, "", 0) }

func (serverLog) Write(text []byte) (int, error) {
	slog.Warn("http server", "err", withoutAddresses(strings.TrimSpace(string(text))))
	return len(text), nil
}

// maybeAddress finds what could be an IP address: in brackets, with a zone, or bare; a port may follow.
var maybeAddress = regexp.MustCompile(`\[[0-9A-Fa-f:.]+(%[^\]\s]*)?\](:\d+)?|[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]*[0-9A-Fa-f](%[^\s\]>]*)?`)

func withoutAddresses(text string) string {
	return maybeAddress.ReplaceAllStringFunc(text, func(part string) string {
		_, withPort := netip.ParseAddrPort(part)
		_, alone := netip.ParseAddr(strings.Trim(part, "[]"))
		if withPort != nil && alone != nil {
			return part
		}
		return "(address)"
	})
}
