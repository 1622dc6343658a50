package surveys

// Kinds of mail. The parameter is "survey".
const (
	KindInvitation = "survey_invitation"
	KindThanks     = "survey_thanks"
)
