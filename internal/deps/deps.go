//go:build tools

// Package deps holds requirements in go.mod until their users land.
package deps

import (
	_ "github.com/gin-gonic/gin"
	_ "modernc.org/sqlite"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/pressly/goose/v3"
	_ "github.com/xuri/excelize/v2"
	_ "github.com/emersion/go-ical"
	_ "github.com/wneessen/go-mail"
	_ "github.com/alecthomas/kong"
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/yuin/goldmark"
	_ "github.com/microcosm-cc/bluemonday"
	_ "github.com/nicksnyder/go-i18n/v2/i18n"
	_ "github.com/nyaruka/phonenumbers"
	_ "github.com/PuerkitoBio/goquery"
	_ "pgregory.net/rapid"
	_ "github.com/emersion/go-smtp"
	_ "github.com/anishathalye/porcupine"
	_ "golang.org/x/crypto/argon2"
	_ "golang.org/x/crypto/chacha20poly1305"
	_ "github.com/google/go-cmp/cmp"
	_ "golang.org/x/net/html"
	_ "golang.org/x/text/collate"
	_ "github.com/BurntSushi/toml"
	_ "github.com/teambition/rrule-go"
	_ "golang.org/x/sys/windows"
)
