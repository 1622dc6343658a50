package backup

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipients says for whom archives are encrypted: age's public keys, of which any one opens them, or one passphrase.
func Recipients(keys []string, keysFile, passphraseFile string) ([]age.Recipient, error) {
	if passphraseFile != "" {
		if len(keys) > 0 || keysFile != "" {
			return nil, errors.New("give recipients or a passphrase, not both")
		}
		word, err := passphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		recipient, err := age.NewScryptRecipient(word)
		return []age.Recipient{recipient}, err
	}
	text := strings.Join(keys, "\n") + "\n"
	if keysFile != "" {
		more, err := os.ReadFile(keysFile)
		if err != nil {
			return nil, fmt.Errorf("read recipients: %w", err)
		}
		text += string(more)
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("backups are always encrypted: give --recipient age1…, --recipients-file or --passphrase-file (feltbok backup-key makes a key)")
	}
	recipients, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("recipients: %w", err)
	}
	return recipients, nil
}

// Identities says with what archives are opened: a file of age's private keys, or a passphrase.
func Identities(keysFile, passphraseFile string) ([]age.Identity, error) {
	if (keysFile == "") == (passphraseFile == "") {
		return nil, errors.New("give what opens the archive: --identity with the key's file, or --passphrase-file")
	}
	if passphraseFile != "" {
		word, err := passphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		identity, err := age.NewScryptIdentity(word)
		return []age.Identity{identity}, err
	}
	file, err := os.Open(keysFile)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer file.Close()
	identities, err := age.ParseIdentities(file)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", keysFile, err)
	}
	return identities, nil
}

// leastPassphrase is in characters. Whoever has an archive can try as often as they like.
const leastPassphrase = 20

func passphrase(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	word, _, _ := strings.Cut(strings.ReplaceAll(string(text), "\r", ""), "\n")
	if len([]rune(word)) < leastPassphrase {
		return "", fmt.Errorf("the passphrase in %s is too short: at least %d characters on its first line", path, leastPassphrase)
	}
	return word, nil
}
