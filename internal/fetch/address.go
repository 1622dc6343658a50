package fetch

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// mostAddress is how long an address may be, in bytes; the longest secret addresses of calendars have about 300.
const mostAddress = 2000

// ports that are read from. Calendars are at 443; some that an institution runs itself (Zimbra, and other Java servers)
// are at 8443. Any other would make this a way to try what else listens somewhere.
var ports = map[string]bool{"": true, "443": true, "8443": true}

// Check says whether an address could be fetched at all, and returns it as it is to be kept. It asks nobody: a name that
// leads into a private network is found by Get. Errors are ErrRefused, ErrInsecure, ErrCredentials, ErrPort, ErrPrivate.
func (f *Fetcher) Check(address string) (normalised string, err error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > mostAddress {
		return "", ErrRefused
	}
	if u.Scheme == "webcal" || u.Scheme == "webcals" {
		u.Scheme = "https"
	}
	u.Host = strings.ToLower(u.Host)
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	u.Fragment, u.RawFragment = "", ""
	if err := f.check(u); err != nil {
		return "", err
	}
	return u.String(), nil
}

// check is Check of what is parsed already.
func (f *Fetcher) check(u *url.URL) error {
	host := u.Hostname()
	local := f.options.AllowLoopback && loopback(host)
	switch {
	case u.User != nil:
		return ErrCredentials
	case u.Scheme == "http" && !local:
		return ErrInsecure
	case u.Scheme != "https" && u.Scheme != "http", host == "":
		return ErrRefused
	case !ports[u.Port()] && !local:
		return ErrPort
	}
	if ip, err := netip.ParseAddr(host); err == nil && !f.allowed(ip) {
		return ErrPrivate
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// control sees the address that is about to be connected to, after the name was looked up: whatever the name meant a
// moment ago, or will mean in a moment, is of no use to anybody.
func (f *Fetcher) control(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ErrPrivate
	}
	if ip, err := netip.ParseAddr(host); err != nil || !f.allowed(ip) {
		return ErrPrivate
	}
	return nil
}

func (f *Fetcher) allowed(ip netip.Addr) bool {
	return public(ip) || f.options.AllowLoopback && ip.IsLoopback()
}

// internet is what is given out to the public at all: IPv4 below multicast, and the one eighth of IPv6 that IANA gives
// out of. Unique-local, link-local, loopback, multicast, IPv4 in IPv6 (::ffff:0:0/96), NAT64 (64:ff9b::/96) and whatever
// will be invented elsewhere are outside.
var internet = prefixes("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "2000::/3")

// reserved is what is not public within: the registries of special-purpose addresses (RFC 6890 and its updates), and one
// address of a cloud's own.
var reserved = prefixes(
	"0.0.0.0/8",        // this host
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // shared by a provider's customers (CGNAT); a cloud's metadata at 100.100.100.200
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's own services, the metadata of a machine among them
	"169.254.0.0/16",   // link-local; most clouds' metadata at 169.254.169.254
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"2001::/23",        // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4, which carries any IPv4 address
	"3fff::/20",        // documentation
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// public says whether an address is on the public internet. One with a zone is not.
func public(ip netip.Addr) bool { return within(internet, ip) && !within(reserved, ip) }

func within(list []netip.Prefix, ip netip.Addr) bool {
	for _, prefix := range list {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}
