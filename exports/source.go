// Package exports turns the results of a study into one workbook, and computes the joint display: what interviews and
// survey say of the same theme. It reads no store and knows people by code alone; whoever calls gathers the results.
// What a person said no to is left out here, once for every sheet, and the last sheet says so.
package exports

import (
	"iter"
	"time"
)

// Text is one language of the interface, such as internal/i18n's.
type Text interface {
	Lang() string
	Has(key string) bool
	T(key string, args ...any) string
}

// Source is everything that a workbook is made of. Codes are the participants' (A3), times UTC milliseconds, dates
// 2006-01-02; words such as states, sizes and purposes are the keys that their owners use.
type Source struct {
	Text      Text
	MadeAt    time.Time
	AuditHead string // newest hash of the audit chain, which dates the workbook; among the document's properties
	Folder    string // where long sheets wait, readable by this user alone, until they are zipped; empty: the system's own
	Study     Study

	Participants []Participant
	Traits       []string // names of the study's own attributes, in their order
	Funnel       Funnel
	Funnels      []Funnel // by case; they add up to Funnel
	Quotas       []Quota
	Interviews   []Interview
	Themes       []Theme                      // in their order
	Marks        map[string]map[string]string // by theme and code: x or o
	Consents     []Consent
	Survey       *Survey // nil where there is none

	Withheld map[string]string // codes whose every row stays out, with the reason's key
	Left     []LeftOut         // what the caller left out already
}

// Study is what the first sheet tells.
type Study struct {
	Title, Purpose, Questions, Institution, LegalBasis string
	Zone                                               string // IANA; where days begin
	StartsOn, EndsOn                                   string
	Cases                                              []Case // in their order
}

// Case is one unit of a multiple-case study.
type Case struct {
	Code, Name string
	Pilot      bool // a pre-study: greyed, and without columns in the coding matrix
}

// Participant is one person who was asked.
type Participant struct {
	Code, Case, Audience, Relation, Size, Title, Source string
	Recruiter                                           string // code of the informant who led here
	State                                               string
	StateAt                                             int64
	Traits                                              []string // values of the study's own attributes, "" for none
}

// Funnel counts people, those since erased included. In one by case they are by themselves, without a case.
type Funnel struct {
	Case                           string
	Asked, Yes, Booked, Done, Lost int
	Losses                         []Loss // of the whole alone
}

// Loss counts those who left for one reason.
type Loss struct {
	State string
	N     int
}

// Quota is one cell of the plan.
type Quota struct {
	Case        string
	Kind        string // a key, or the name of one that the team made
	Least, Most int    // Most is 0 where there is no upper limit
	Asked, Yes  int
	Booked      int
	Done        int
}

// Interview is one interview held.
type Interview struct {
	Code, HeldOn string
	Minutes      int // -1: has no duration
}

// Theme is one row of the coding matrix.
type Theme struct{ Key, Category, Label string }

// Consent is how things stand with one person.
type Consent struct {
	Code      string
	Standings map[string]string // by purpose: yes, no or unasked
	Means     string            // of the latest act
	At        int64             // of the latest act
}

// Survey is one questionnaire in the workbook's language.
type Survey struct {
	Title     string
	Questions []Question
	Answers   iter.Seq2[Answer, error] // read once; never held together
}

// Question is one question. Notes, which nobody answers, are not among them.
type Question struct {
	Name, Label string
	Type        string // likert, single, multiple, integer, text or long_text
	Theme       string // key of the theme it asks about
	Choices     []Choice
}

// Choice is one answer offered.
type Choice struct {
	Value, Label string
	Missing      bool // "don't know": counted apart from the scale
}

// Answer is one response.
type Answer struct {
	Code, Lang  string
	Version     int
	SubmittedAt int64
	Values      map[string]any // by question, as JSON decodes them
}

// LeftOut is one thing that is not in the workbook.
type LeftOut struct {
	What   string // key: person, interview, coding, title, answers, question, text
	Code   string // whose, or of what
	Reason string // key
	N      int    // how many times; 0 means once
}
