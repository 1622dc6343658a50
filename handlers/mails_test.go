package handlers

import (
	"testing"

	"example.org/feltbok/internal/i18n"
)

// Every kind of mail has a name where mail is listed: in the queue, and in a person's own copy.
func TestEveryMailIsNamed(t *testing.T) {
	catalogue, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{MailInvite, MailByHand, MailTest, MailTrial, MailAuditHash, MailEndWarning}
	for kind := range mailRules {
		kinds = append(kinds, kind)
	}
	for _, kind := range kinds {
		for _, lang := range i18n.Languages {
			if key := "outbox.kind." + kind; !catalogue.Text(lang).Has(key) {
				t.Errorf("no text %q in %s", key, lang)
			}
		}
	}
}
