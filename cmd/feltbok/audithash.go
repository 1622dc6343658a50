package main

import (
	"context"
	"strconv"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/mail"
)

// tellHash mails the newest hash of the audit chain to whoever owns an open study, one mail each however many studies: once a
// day (UTC), on whichever replica comes first, and not where nothing was added since. What somebody keeps in a mailbox, whoever
// alters the stores cannot alter with them.
func (p *people) tellHash(ctx context.Context, now time.Time) error {
	if p.sender == nil {
		return nil // a mail that waits for months tells nothing
	}
	owners, err := p.Studies.Owners(ctx)
	if err != nil || len(owners) == 0 {
		return err
	}
	day := now.UTC().Format(time.DateOnly)
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		end, due, err := p.Audit.TellTx(ctx, tx, day)
		if err != nil || !due {
			return err
		}
		params := map[string]string{"day": day, "entries": strconv.FormatInt(end.Seq, 10), "hash": end.Hash}
		for _, owner := range owners {
			err := p.Outbox.Enqueue(ctx, tx, mail.Mail{Account: owner, Kind: handlers.MailAuditHash, Params: params,
				Key: handlers.MailAuditHash + ":" + day + ":" + string(owner)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
