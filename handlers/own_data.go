package handlers

import (
	"time"

	"example.org/feltbok/exports"
	"example.org/feltbok/identities"
)

// ownData is everything that is kept about somebody, for them: the page shows it and the files hold it. What others said
// about others is not in it, so a recruiter is named by nothing but the source. A test holds it against the stores: no table
// about a person may be missing.
type ownData struct {
	MadeAt       time.Time           `json:"made_at"`
	StudyTitle   string              `json:"study"`
	Institution  string              `json:"institution"`
	You          identities.Identity `json:"you"`
	Former       []dataFormer        `json:"addresses_left,omitempty"`
	Refused      bool                `json:"not_to_be_contacted_again"`
	Restriction  *dataRestriction    `json:"only_kept,omitempty"`
	InStudy      *dataPlace          `json:"in_the_study,omitempty"` // nil of somebody who is only asked in surveys
	Answers      []dataAct           `json:"answers"`
	Letters      []dataLetter        `json:"letters"`
	Appointments []dataAppointment   `json:"appointments"`
	Contacts     []dataContact       `json:"contacts"`
	Notes        []dataNote          `json:"notes"`
	Postponed    []dataPlan          `json:"postponed"`
	Changes      []dataChange        `json:"changes"`
	Talks        []dataTalk          `json:"conversations"`
	Themes       []dataTheme         `json:"themes"`
	Surveys      []dataSurvey        `json:"surveys"`
	Invited      *dataInvited        `json:"contact_agreed,omitempty"`
	PassedOn     []dataCoupon        `json:"invitations_made,omitempty"`
	Tips         []dataTip           `json:"tips_given,omitempty"`
	Requests     []dataRequest       `json:"requests"`
	Mails        []dataMail          `json:"mails"`
	Links        []dataLink          `json:"links"`
	Visits       []dataVisit         `json:"visits"`
	Log          []dataEntry         `json:"log"`
}

// dataFormer is an address that their mail no longer goes to.
type dataFormer struct {
	Address string    `json:"address"`
	LeftAt  time.Time `json:"left_at"`
}

type dataRestriction struct {
	Kind  string    `json:"kind"`
	At    time.Time `json:"since"`
	Lifts time.Time `json:"ends,omitzero"`
}

// dataLetter is a letter that they answered to, whole.
type dataLetter struct {
	Hash     string `json:"hash"`
	Version  int    `json:"version"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text"`
}

// dataTip is that they named somebody. Whom is the other's.
type dataTip struct {
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires_at"`
}

type dataRequest struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Due      time.Time `json:"answered_by,omitzero"`
	Extended bool      `json:"extended,omitempty"`
	Done     time.Time `json:"done_at,omitzero"`
}

type dataMail struct {
	At    time.Time `json:"written_at"`
	Kind  string    `json:"kind"`
	State string    `json:"state"`
	Done  time.Time `json:"done_at,omitzero"`
}

type dataLink struct {
	Purpose string    `json:"purpose"`
	Expires time.Time `json:"expires_at"`
}

type dataVisit struct {
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
}

// dataEntry is what the log says about them: who opened their name, when and why, among others.
type dataEntry struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Action string    `json:"action"`
	Says   string    `json:"in_words"`
}

type dataPlace struct {
	Code      string      `json:"code"`
	Case      string      `json:"case"`
	Audience  string      `json:"letter_for"`
	Relation  string      `json:"relation,omitempty"`
	Size      string      `json:"company_size,omitempty"`
	Title     string      `json:"job_title_in_general,omitempty"`
	Source    string      `json:"found_through"`
	State     string      `json:"state"`
	CreatedAt time.Time   `json:"since"`
	NextAt    time.Time   `json:"next_contact_planned,omitzero"`
	Network   *int        `json:"others_known,omitempty"`
	Traits    []dataTrait `json:"attributes,omitempty"` // the study's own
}

type dataTrait struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dataAct struct {
	At         time.Time             `json:"at"`
	Means      string                `json:"means"`
	Reference  string                `json:"reference,omitempty"`
	Language   string                `json:"language"`
	Letter     string                `json:"letter_hash"`
	Withdrawal bool                  `json:"withdrawal"`
	Items      []dataAnswer          `json:"items"`
	GivenOn    string                `json:"given_on,omitempty"`
	OfAge      int                   `json:"has_turned,omitempty"`
	Explicit   string                `json:"explicitly_consented_to,omitempty"`
	Signature  *identities.Signature `json:"signature,omitempty"`
}

type dataAnswer struct {
	Purpose string `json:"purpose"`
	Text    string `json:"text"`
	Yes     bool   `json:"yes"`
	Implied bool   `json:"left_open,omitempty"`
}

type dataAppointment struct {
	Starts   time.Time `json:"starts"`
	Ends     time.Time `json:"ends"`
	Mode     string    `json:"mode"`
	Place    string    `json:"place,omitempty"`
	Where    string    `json:"where,omitempty"`   // said by them or to the team: where to come to, or which number to ring
	Message  string    `json:"message,omitempty"` // that the team wrote to them
	Zone     string    `json:"your_zone,omitempty"`
	Title    string    `json:"calendar_title"`
	FollowUp bool      `json:"follow_up,omitempty"`
	State    string    `json:"state"`
	MadeAt   time.Time `json:"made_at"`
}

type dataContact struct {
	At        time.Time `json:"at"`
	Channel   string    `json:"channel"`
	Direction string    `json:"direction"`
	Outcome   string    `json:"outcome"`
}

type dataNote struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

type dataPlan struct {
	At   time.Time `json:"at"`
	Next time.Time `json:"next_contact_planned"`
}

type dataChange struct {
	At  time.Time `json:"at"`
	Now string    `json:"state"`
}

type dataTalk struct {
	HeldOn  exports.Date `json:"date"`
	Mode    string       `json:"mode"`
	Minutes int          `json:"minutes,omitempty"`
}

type dataTheme struct {
	Label string `json:"theme"`
	Mark  string `json:"mark"` // x: mentioned, o: disagreed
}

type dataSurvey struct {
	Title   string           `json:"title"`
	Code    string           `json:"code"`
	Role    string           `json:"role,omitempty"`
	Size    string           `json:"size,omitempty"`
	State   string           `json:"state"`
	Invited time.Time        `json:"invited_at,omitzero"`
	Lang    string           `json:"language,omitempty"`
	Saved   time.Time        `json:"saved_at,omitzero"`
	Sent    time.Time        `json:"sent_at,omitzero"` // not yet: what follows is a draft
	Answers []dataSurveyLine `json:"answers,omitempty"`
}

type dataSurveyLine struct {
	Name     string `json:"name"`
	Question string `json:"question"`
	Value    any    `json:"value"`
	Answer   string `json:"answer"` // in words
}

// dataInvited is what somebody said yes to when an invitation was passed on to them.
type dataInvited struct {
	At       time.Time `json:"at"`
	Language string    `json:"language"`
	Text     string    `json:"text"`
}

// dataCoupon is an invitation that somebody passed on. What became of it is the friend's.
type dataCoupon struct {
	Number   int       `json:"number"`
	ShowName bool      `json:"names_you"`
	MadeAt   time.Time `json:"made_at"`
	Expires  time.Time `json:"expires_at"`
}
