package handlers

import (
	"context"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/internal/pdf"
	"example.org/feltbok/studies"
)

const pdfType = "application/pdf"

// letterPaper is a published letter to print, wholly in the language it is written in: the same letter is the same file,
// whoever prints it.
func (s *Server) letterPaper(l consents.Letter) pdf.Document {
	text := s.languages.Text(l.Language)
	return pdf.Document{Title: l.Title, Language: l.Language, Made: time.UnixMilli(l.PublishedAt), Parts: letterParts(text, l),
		Foot: text.T("letter.pdf_foot", "Version", l.Version, "Language", text.T("my.letter.language."+l.Language), "Hash", l.Hash),
		Page: func(page, of int) string { return text.T("letter.pdf_page", "Page", page, "Of", of) }}
}

// letterParts is everything of a letter that its hash covers.
func letterParts(text i18n.Text, l consents.Letter) []pdf.Part {
	letter := pdf.Part{Title: l.Title, Body: l.Body}
	for _, fact := range l.Brief {
		letter.Facts = append(letter.Facts, pdf.Fact{Term: fact.Term, Text: fact.Text})
	}
	asked := pdf.Part{Title: text.T("letter.pdf_items"), Minor: true}
	for _, item := range l.Items {
		asked.Lines = append(asked.Lines, item.Text+" "+item.Hint)
	}
	return []pdf.Part{letter, asked}
}

// sendLetter hands a letter out as a file. Its name says nothing of the study.
func (s *Server) sendLetter(v *visit, l consents.Letter) error {
	file, err := pdf.Bytes(s.letterPaper(l))
	if err != nil {
		return err
	}
	v.download(s.languages.Text(l.Language).T("letter.pdf_name"), pdfType, file)
	return nil
}

// myLetterFile is the letter that the page shows, as a file.
func (s *Server) myLetterFile(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	letter, err := s.letterFor(v, o)
	if v.Query("read") != "" && o.said.Letter != "" {
		letter, err = s.Consents.Letter(v.ctx(), v.study.ID, o.said.Letter)
	}
	if err != nil {
		return err
	}
	return s.sendLetter(v, letter)
}

// surveyLetterFile is the letter of a survey as a file.
func (s *Server) surveyLetterFile(v *visit) error {
	letter, err := s.Consents.Current(v.ctx(), v.study.ID, consents.Respondent, v.text.Lang())
	if err != nil {
		return err
	}
	return s.sendLetter(v, letter)
}

// letterFile is one published letter as a file, for the team and for whoever watches it.
func (s *Server) letterFile(v *visit) error {
	letter, err := s.Consents.Letter(v.ctx(), v.study.ID, id.Letter(v.Param("letter")))
	if err != nil {
		return err
	}
	return s.sendLetter(v, letter)
}

// receipt is the proof of one act that a person keeps: what was answered, when and how, and the letter it was answered to.
func (s *Server) receipt(ctx context.Context, text i18n.Text, study studies.Study, zone *time.Location, act consents.Given) (mail.Attachment, error) {
	letter, err := s.Consents.Letter(ctx, study.ID, act.Letter)
	if err != nil {
		return mail.Attachment{}, err
	}
	file, err := pdf.Bytes(s.receiptPaper(text, study, zone, act, letter))
	return mail.Attachment{Name: text.T("receipt.pdf_name"), Type: pdfType, Data: file}, err
}

func (s *Server) receiptPaper(text i18n.Text, study studies.Study, zone *time.Location, act consents.Given, letter consents.Letter) pdf.Document {
	d := s.letterPaper(letter)
	title, answers := "receipt.title", "receipt.answers"
	if act.Withdrawal {
		title, answers = "receipt.title_withdrawn", "receipt.answers_withdrawn"
	}
	d.Title, d.Language, d.Made = text.T(title), text.Lang(), time.UnixMilli(act.At)
	d.Page = func(page, of int) string { return text.T("letter.pdf_page", "Page", page, "Of", of) }
	parts := []pdf.Part{{Title: d.Title, Facts: receiptFacts(text, study, zone, act, letter)}, receiptAnswers(text, act, text.T(answers))}
	if act.Explicit != "" {
		parts = append(parts, pdf.Part{Title: text.T("receipt.explicit"), Minor: true, Lines: []string{act.Explicit}})
	}
	if act.Withdrawal { // of what was said yes to before; that receipt has the letter
		d.Parts = parts
		return d
	}
	d.Parts[0].Fresh = true
	d.Parts = append(parts, d.Parts...)
	return d
}

func receiptFacts(text i18n.Text, study studies.Study, zone *time.Location, act consents.Given, letter consents.Letter) []pdf.Fact {
	means := text.T("receipt.means." + act.Means)
	if act.Reference != "" {
		means += ": " + act.Reference
	}
	facts := []pdf.Fact{{Term: text.T("receipt.study"), Text: study.Title}, {Term: text.T("receipt.institution"), Text: study.Institution},
		{Term: text.T("receipt.at"), Text: text.Date(time.UnixMilli(act.At).In(zone), i18n.FullTime)}}
	if act.GivenOn != "" {
		facts = append(facts, pdf.Fact{Term: text.T("receipt.given_on"), Text: text.Date(study.Day(act.GivenOn), i18n.Plain)})
	}
	facts = append(facts, pdf.Fact{Term: text.T("receipt.means"), Text: means},
		pdf.Fact{Term: text.T("receipt.letter"), Text: text.T("receipt.letter_version", "Version", letter.Version, "Language", text.T("my.letter.language."+act.Language))},
		pdf.Fact{Term: text.T("receipt.hash"), Text: act.Hash})
	if act.OfAge > 0 {
		facts = append(facts, pdf.Fact{Term: text.T("receipt.age"), Text: text.T("receipt.age_reached", "Years", act.OfAge)})
	}
	if act.Signed != "" {
		facts = append(facts, pdf.Fact{Term: text.T("receipt.signed"), Text: text.T("receipt.signed_" + act.Signed)})
	}
	return facts
}

// receiptAnswers repeats the answers beside the words that were shown.
func receiptAnswers(text i18n.Text, act consents.Given, title string) pdf.Part {
	part := pdf.Part{Title: title, Minor: true}
	for _, item := range act.Items {
		said := item.Text
		if item.Implied {
			said += " " + text.T("receipt.implied")
		}
		part.Facts = append(part.Facts, pdf.Fact{Term: text.T("form." + word(item.Yes)), Text: said})
	}
	return part
}
