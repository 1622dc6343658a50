package handlers

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
)

const (
	formKeyField  = "form_key"
	FormLifetime  = 12 * time.Hour
	maxFormFields = 1000
	nonceBytes    = 16
)

var (
	errFormKey     = errs.New(errs.Conflict, "form_expired")
	errContentType = errs.New(errs.Invalid, "content_type")
	errTooLarge    = errs.New(errs.TooLarge, "too_large")
	errManyFields  = errs.New(errs.TooLarge, "too_many_fields")
)

// newFormKey makes the key that a form carries: when it was shown, a nonce, and a signature over both and the visitor's
// session. Making it writes nothing; the POST that it admits records it.
func (v *visit) newFormKey() string {
	body := binary.BigEndian.AppendUint64(nil, uint64(v.now().Unix()))
	nonce := make([]byte, nonceBytes)
	rand.Read(nonce)
	body = append(body, nonce...)
	return base64.RawURLEncoding.EncodeToString(append(body, v.signForm(body)...))
}

func (v *visit) signForm(body []byte) []byte {
	secret := v.session.Form
	if len(secret) == 0 {
		secret = v.server.FormSecret
	}
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	return h.Sum(nil)
}

// checkFormKey returns errFormKey for a key that this visitor was not shown, or too long ago.
func (v *visit) checkFormKey(key string) error {
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(raw) != 8+nonceBytes+sha256.Size {
		return errFormKey
	}
	body, signature := raw[:8+nonceBytes], raw[8+nonceBytes:]
	shown := time.Unix(int64(binary.BigEndian.Uint64(body)), 0)
	if !hmac.Equal(signature, v.signForm(body)) || v.now().Sub(shown) > FormLifetime {
		return errFormKey
	}
	return nil
}

// readForm reads what was handed in and lets the form act once.
func (v *visit) readForm() error {
	if err := v.parseForm(); err != nil {
		return err
	}
	v.form = v.Request.PostForm
	fields := 0
	for _, values := range v.form {
		fields += len(values)
	}
	if fields > maxFormFields {
		return errManyFields
	}
	if v.oneClick() {
		return nil
	}
	key := v.form.Get(formKeyField)
	if err := v.checkFormKey(key); err != nil {
		return err
	}
	v.once = database.WithOnce(v.Request.Context(), key, v.now())
	return nil
}

// apart is the context of one act where a form can do several: each is recorded for itself, so that whoever goes back and
// chooses otherwise is not told that it is done.
func (v *visit) apart(act string) context.Context {
	return database.WithOnce(v.Request.Context(), v.Request.PostForm.Get(formKeyField)+"/"+act, v.now())
}

// leave is the act that takes a person out altogether.
const leave = "leave"

// farewells are where the forms lead with which somebody leaves, by the address they are handed in to.
var farewells = map[string]string{"/my/withdraw": "/my/left", "/survey/withdraw": "/survey/left", refusalPath: "/my/left"}

// left says whether somebody was taken out with the form of this request. A second click finds no session, no link and
// maybe no person; but the key of a form, which nobody can guess, is remembered for longer than the form is good for.
func (s *Server) left(v *visit) bool {
	return v.parseForm() == nil && errors.Is(s.Repeated(v.apart(leave)), database.ErrRepeated)
}

func (v *visit) parseForm() error {
	kind, _, err := mime.ParseMediaType(v.GetHeader("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
		return errContentType
	}
	err = v.Request.ParseForm()
	if err == nil && kind == "multipart/form-data" {
		// As much as the body may hold, so that no file with names in it lies in a temporary folder.
		err = v.Request.ParseMultipartForm(v.route.body())
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return errTooLarge
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, errContentType.Code)
	}
	return nil
}

// form is what a page needs to show a form, again if need be: the values typed and what is wrong with them.
type form struct {
	Key    string
	Values url.Values
	Errors []fieldError
}

type fieldError struct{ Name, Text string }

// newForm is a form shown for the first time; values is what stands in it.
func (v *visit) newForm(values url.Values) form {
	if values == nil {
		values = url.Values{}
	}
	return form{Key: v.newFormKey(), Values: values}
}

// againForm is the form that was handed in, with everything typed, and what err says is wrong with it. Conflicts that
// concern the form as a whole stand in the summary alone.
func (v *visit) againForm(err error) form {
	f := v.newForm(v.form)
	for _, field := range errs.FieldsOf(err) {
		f.Errors = append(f.Errors, fieldError{field.Name, v.fieldText(field)})
	}
	if len(f.Errors) == 0 {
		f.Errors = []fieldError{{"", v.errorText(err)}}
	}
	return f
}

// mendable says whether showing the form again helps.
func mendable(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.TooMany, errs.Unavailable:
		return !errors.Is(err, database.ErrRepeated)
	}
	return false
}

func (f form) ErrorOf(name string) string {
	for _, e := range f.Errors {
		if e.Name == name {
			return e.Text
		}
	}
	return ""
}
