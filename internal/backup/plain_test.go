package backup_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"example.org/feltbok/internal/backup"

	"filippo.io/age"
)

// unlock takes both layers off an archive.
func unlock(t testing.TB, archive []byte, key age.Identity) []byte {
	t.Helper()
	packed, err := age.Decrypt(bytes.NewReader(archive), key)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// relock puts them on again.
func relock(t testing.TB, plain []byte, key *age.X25519Identity) []byte {
	t.Helper()
	var archive bytes.Buffer
	locked, err := age.Encrypt(&archive, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	packed := gzip.NewWriter(locked)
	for _, step := range []func() error{func() error { _, err := packed.Write(plain); return err }, packed.Close, locked.Close} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return archive.Bytes()
}

// FuzzArchive reads what somebody else put into an archive for the same key: nothing that it says may end the program, or
// take memory that it does not itself take.
func FuzzArchive(f *testing.F) {
	key := newKey(f)
	f.Add([]byte("feltbok backup\n"))
	f.Add([]byte("feltbok backup\nm\x1d" + `{"format":1,"kind":"keys"}   ` + "t\x02{}"))
	f.Add([]byte("feltbok backup\nm\x1a" + `{"format":1,"kind":"keys"}` + "r\xff\xff\xff\xff\x03"))
	f.Add([]byte("feltbok backup\nm\x1a" + `{"format":1,"kind":"keys"}` + "t\x54" +
		`{"store":"keys","table":"data_key","columns":[{"name":"person_id","type":"text"}]}  ` + "r\x03t\x01ac\x02[]s\x02{}"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		r, err := backup.Open(bytes.NewReader(relock(t, plain, key)), key)
		if err != nil {
			return
		}
		if _, err := r.Check(mark); err == nil {
			t.Error("an archive without a mark passed")
		}
	})
}
