package handlers

import "example.org/feltbok/internal/tabular"

// staffRoutes is everything that the team can reach, with its rule. A person's own page is the team's: supervisors and
// officers see the lists, by code.
func (s *Server) staffRoutes() []route {
	const (
		study  = "/studies/:study"
		letter = study + "/letters/:audience"
		person = study + "/people/:person"
		call   = study + "/calls/:person"
		tip    = study + "/tips/:person"
		kept   = study + "/bookings/:booking"
		survey = study + "/surveys/:survey"
		batch  = study + "/invitations/:batch"
		list   = study + "/imports/:import"
		task   = study + "/tasks/:task"
	)
	return []route{
		get("/healthz", anyone, s.healthz),
		get("/readyz", anyone, s.readyz),

		get("/", anyone, s.front),
		both("/setup/:token", anyone, s.setup, "/studies"),
		both("/sign-in", anyone, s.signIn, ""),
		both("/sign-in/:token", anyone, s.signInLink, "/studies"),
		both("/invite/:token", anyone, s.invited, "/studies"),
		file(feedFolder+":token", anyone, s.feed),
		post("/sign-out", anyone, s.signOut, "/sign-in"),

		get("/studies", signedIn, s.studyList),
		both("/studies/new", signedIn, s.studyNew, "/studies"),
		get(study, everyMember, s.home),
		both(study+"/settings", team, s.settings, study),
		get(study+"/record", everyMember, s.record),
		both(study+"/record/:lang", team, s.recordText, study+"/record"),
		get(study+"/sample", team, s.sample),
		post(study+"/cases", team, s.caseAdd, study+"/sample"),
		get(study+"/quotas", everyMember, s.quotas),
		post(study+"/quotas", team, s.quotaSet, study+"/sample"),
		post(study+"/kinds", team, s.kindAdd, study+"/sample"),
		both(study+"/kinds/:kind", team, s.kindRemove, study+"/sample"),
		get(study+"/attributes", team, s.attributes),
		post(study+"/attributes", team, s.attributesSet, study+"/attributes"),
		post(study+"/sizes", team, s.sizesSet, study+"/attributes"),
		get(study+"/team", everyMember, s.teamList),
		post(study+"/team", owner, s.teamAdd, study+"/team").afterEnd(),
		post(study+"/team/remove", owner, s.teamRemove, study+"/team").afterEnd(),
		get(study+"/letters", everyMember, s.letters),
		both(letter+"/:lang", team, s.letterDraft, letter+"/:lang"),
		get(letter+"/:lang/preview", findings, s.letterPreview),
		post(letter+"/publish", team, s.letterPublish, study+"/letters"),
		get(study+"/letter/:letter", everyMember, s.letterFrozen),
		get(study+"/letter/:letter/pdf", everyMember, s.letterFile),
		get(study+"/letter/:letter/changes", everyMember, s.letterChanges),
		post(study+"/letter/:letter/changes", team, s.letterTell, study+"/letters"),
		get(study+"/mail", team, s.outbox),
		post(study+"/mail/test", team, s.outboxTest, study+"/mail"),
		post(study+"/mail/retry", team, s.outboxRetry, study+"/mail"),
		post(study+"/mail/release", owner, s.outboxRelease, study+"/mail"),
		both(study+"/trial", team, s.trial, study+"/trial"),
		get(study+"/log", watchers, s.log),
		get(study+"/tasks", duties, s.tasks),
		post(task+"/done", team, s.taskDone, study+"/tasks").afterEnd(),
		post(task+"/reopen", team, s.taskReopen, study+"/tasks").afterEnd(),
		post(task+"/extend", team, s.taskExtend, study+"/tasks").afterEnd(),
		post(task+"/open", team, s.taskOpen, study+"/tasks").afterEnd(),
		get(study+"/log.csv", watchers, s.logFile),
		get(study+"/protection", watchers, s.protection),
		get(study+"/evidence", watchers, s.evidence),
		post(study+"/evidence", watchers, s.evidenceDownload, "").afterEnd(),
		get(study+"/published", everyMember, s.published),
		get(study+"/consents", everyMember, s.consentRegister),
		get(study+"/consents.csv", everyMember, s.registerFile),
		get(study+"/consents/:person", everyMember, s.consentActs),
		both(study+"/proofs", custodians, s.proofs, study+"/proofs").afterEnd(),
		get(study+"/end", everyMember, s.end),
		post(study+"/end", owner, s.endNow, study+"/end"),
		post(study+"/end/check", owner, s.endCheck, study+"/end"),
		get(study+"/certificate", everyMember, s.certificate),
		get(study+"/certificate.txt", everyMember, s.certificateFile),

		get(study+"/forecast", findings, s.forecast),
		get(study+"/candidates", everyMember, s.candidates),
		get(study+"/candidates/new", team, s.candidateNew),
		post(study+"/candidates/new", team, s.candidateAdd, study+"/candidates"),
		get(study+"/calls", team, s.calls),
		post(call, team, s.callLogged, study+"/calls"),
		post(call+"/number", team, s.callNumber, study+"/calls"),
		post(call+"/later", team, s.callLater, study+"/calls"),
		post(call+"/undo", team, s.callUndone, study+"/calls"),
		post(call+"/give-up", team, s.callGivenUp, study+"/calls"),
		get(study+"/invitations", team, s.batchList),
		both(study+"/invitations/new", team, s.invite, study+"/invitations"),
		get(batch, team, s.batchShow),
		post(batch+"/retry", team, s.batchRetry, batch),
		post(batch+"/stop", team, s.batchStop, batch),
		post(study+"/views", team, s.viewSave, study+"/candidates"),
		post(study+"/views/:view/remove", team, s.viewRemove, study+"/candidates"),
		get(person, team, s.person),
		post(person+"/contact", team, s.personContact, person),
		post(person+"/letter", team, s.personLetter, person),
		post(person+"/state", team, s.personState, person),
		post(person+"/name", team, s.personName, person),
		get(person+"/consent", team, s.personConsent),
		post(person+"/consent", team, s.personConsented, person+"?done=person_consent"),
		get(person+"/edit", team, s.personEdit),
		post(person+"/edit", team, s.personEdited, person+"?done=person_edited"),
		both(person+"/refuse", team, s.personRefuse, person),
		both(person+"/request", team, s.personRequest, person),
		post(person+"/release", team, s.personRelease, person),
		get(person+"/coupons", team, s.personCoupons),
		post(person+"/coupons", team, s.personCouponsMake, person+"/coupons"),
		both(person+"/tip", team, s.tipNew, study+"/tips"),
		get(study+"/tips", team, s.tips),
		get(tip, team, s.tip),
		post(tip+"/open", team, s.tipOpen, tip),
		post(tip+"/enrol", team, s.tipEnrol, person),
		post(tip+"/delete", team, s.tipDelete, study+"/tips"),
		get(study+"/referrals", findings, s.referrals),
		get(study+"/referrals.csv", findings, s.referralsFile),
		get(person+"/withdraw", team, s.personWithdraw),
		post(person+"/withdraw", team, s.personWithdrawn, study+"/candidates"),

		both(study+"/import", team, s.importStart, "").taking(tabular.MostBytes),
		both(survey+"/import", team, s.importStart, "").taking(tabular.MostBytes),
		both(list, team, s.importOne, ""),
		get(list+"/report", team, s.importReport),
		post(list+"/start", team, s.importTakeIn, list),
		post(list+"/discard", team, s.importDiscard, study+"/import?done=import_discarded"),

		both(study+"/availability", team, s.availability, ""),
		both(study+"/availability/extra", team, s.availabilityExtra, study+"/availability"),
		both(study+"/availability/block", team, s.availabilityBlock, study+"/availability"),
		post(study+"/availability/remove", team, s.availabilityRemove, study+"/availability"),
		post(study+"/availability/restore", team, s.availabilityRestore, study+"/availability"),
		both(study+"/availability/calendar", team, s.ownCalendar, study+"/availability"),
		post(study+"/availability/calendar/remove", team, s.calendarRemove, study+"/availability"),
		post(study+"/availability/subscription", team, s.subscriptionMake, study+"/availability"),
		post(study+"/availability/subscription/end", team, s.subscriptionEnd, study+"/availability"),
		get(study+"/week", team, s.week),
		both(study+"/meeting/:audience", team, s.meeting, ""),
		get(study+"/bookings", team, s.staffBookings),
		get(kept, team, s.staffBooking),
		post(kept+"/move", team, s.staffMove, kept),
		post(kept+"/cancel", team, s.staffCancel, kept),
		both(kept+"/missed", team, s.staffMissed, kept),
		post(kept+"/again", team, s.staffAgain, kept),
		post(kept+"/words", team, s.staffWords, kept),
		both(person+"/book", team, s.staffBook, person),
		both(person+"/interview", team, s.interviewRecord, study+"/interviews"),
		get(study+"/interviews", findings, s.interviewTable),
		both(study+"/interviews/:interview", team, s.interviewEdit, study+"/interviews"),
		both(study+"/themes", team, s.themes, study+"/coding"),
		get(study+"/coding", findings, s.coding),
		both(study+"/coding/:person", team, s.codingOne, study+"/coding"),

		get(study+"/surveys", findings, s.surveyList),
		post(study+"/surveys/draft", team, s.surveyDraft, study+"/surveys"),
		get(survey, findings, s.surveyShow),
		post(survey+"/open", team, s.surveyOpen, survey),
		post(survey+"/close", team, s.surveyClose, survey),
		post(survey+"/invite", team, s.surveyInvite, survey),
		get(survey+"/respondents", team, s.respondentList),
		get(survey+"/respondents/new", team, s.respondentNew),
		post(survey+"/respondents/new", team, s.respondentAdd, survey+"/respondents"),
		post(survey+"/informants", team, s.informantsAdd, survey+"/respondents"),
		get(survey+"/results", findings, s.surveyResults),
		get(study+"/export", team, s.exportShow),
		post(study+"/export", team, s.exportDownload, "").afterEnd(),
	}
}

// healthz says that the process answers.
func (s *Server) healthz(v *visit) error {
	v.String(200, "ok\n")
	return nil
}

// readyz says whether the stores answer too.
func (s *Server) readyz(v *visit) error {
	if err := s.Ready(); err != nil {
		v.String(503, "not ready\n")
		return nil
	}
	v.String(200, "ready\n")
	return nil
}
