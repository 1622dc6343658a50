package imports

import "strings"

// values are the closed lists of a candidate's fields. A test holds them against the packages that own them.
var values = map[Field][]string{
	Relation: {"member", "administration", "board"},
	Audience: {"company", "administration"},
	Source:   {"member_list", "website", "introduction", "referral", "tip", "own_network", "other"},
	Language: {"nb", "nn", "en"},
	Size:     {"micro", "small", "medium", "large"},
}

// headingWords are the headings by which a column is recognised, folded, the surest first, in bokmål, nynorsk and English.
// An exact title is never taken for the general one: that would put into the study store what points a person out.
var headingWords = map[Field][]string{
	Name: strings.Fields(`navn namn name fulltnavn fulltnamn fullname kontaktperson contactperson kontaktnavn kontaktnamn contactname
		fornavn førenamn fornamn firstname givenname kontakt contact person`),
	Surname:      strings.Fields("etternavn etternamn surname lastname familyname slektsnavn"),
	Email:        strings.Fields("epost epostadresse email emailaddress mail mailadresse epostadr kontaktepost contactemail"),
	Phone:        strings.Fields("telefon telefonnummer mobil mobiltelefon mobilnummer phone phonenumber mobile mobilephone tlf tlfnr telefonnr telephone cellphone"),
	Organisation: strings.Fields("organisasjon bedrift verksemd virksomhet organisation organization company firma selskap foretak medlemsbedrift bedriftsnavn firmanavn arbeidsgiver arbeidsgivar employer member medlem"),
	ExactTitle:   strings.Fields("stilling stillingstittel tittel jobtitle title position jobbtittel exacttitle stillingnøyaktig stillingnøyaktigt"),
	Language:     strings.Fields("språk language målform"),
	Case:         strings.Fields("case klynge klyngje cluster casekode casenavn casenamn"),
	Code:         strings.Fields("kode code deltakerkode deltakarkode kandidatkode participantcode"),
	Relation:     strings.Fields("relasjon relation tilknytning tilknyting affiliation"),
	Audience:     strings.Fields("brev letter målgruppe audience"),
	Title: strings.Fields(`stillinggenerell stillinggenerelt generellstilling stillingsgruppe yrkesgruppe rolle role generaltitle generalisedtitle
		generalizedtitle jobgroup titlegeneral`),
	Employees: strings.Fields("ansatte antallansatte tilsette antaltilsette taltilsette employees numberofemployees ansatteibedriften headcount"),
	Size:      strings.Fields("størrelse storleik size companysize bedriftsstørrelse størrelsesgruppe"),
	Source:    strings.Fields("kilde kjelde source"),
}

// mostWords is how many words one field has at most.
var mostWords = func() (most int) {
	for _, words := range headingWords {
		most = max(most, len(words))
	}
	return most
}()

// valueWords are other ways to write the values, folded.
var valueWords = map[Field]map[string][]string{
	Relation: {
		"member": strings.Fields("medlem medlemsbedrift medlemsverksemd bedrift verksemd membercompany company"),
		"administration": strings.Fields(`administrasjon administrasjonen klyngeadministrasjon klyngeadministrasjonen klyngjeadministrasjon
			klyngjeadministrasjonen clusteradministration`),
		"board": strings.Fields("styre styret klyngestyre klyngestyret klyngjestyre klyngjestyret clusterboard"),
	},
	Audience: {
		"company":        strings.Fields("bedrift verksemd medlemsbedrift medlemsverksemd membercompany"),
		"administration": strings.Fields("administrasjon administrasjonen klyngeadministrasjon klyngjeadministrasjon clusteradministration"),
	},
	Source: {
		"member_list": strings.Fields("medlemsliste medlemslista"),
		"website":     strings.Fields("nettside nettsted nettsida webpage"),
		"introduction": strings.Fields(`introduksjon noenutenforstudientokførstekontakt nokonutanforstudientokførstekontakt
			introducedbysomebodyoutsidethestudy`),
		"referral":    strings.Fields("henvist henvistavendeltaker visthitaveindeltakar referredbyaparticipant"),
		"tip":         strings.Fields("tips tip tipsfraendeltaker tipsfråeindeltakar tipfromaparticipant"),
		"own_network": strings.Fields("egetnettverk eigenettverk eigekontaktnett"),
		"other":       strings.Fields("annet anna"),
	},
	Language: {
		"nb": strings.Fields("bokmål bokmal norsk norwegian no"),
		"nn": strings.Fields("nynorsk"),
		"en": strings.Fields("engelsk english"),
	},
	Size: {
		"micro":  strings.Fields("mikro mikrobedrift mikroverksemd microcompany"),
		"small":  strings.Fields("liten litenbedrift lita litabedrift litaverksemd smallcompany"),
		"medium": strings.Fields("mellomstor mellomstorbedrift mellomstorverksemd mediumcompany mediumsized mediumsizedcompany"),
		"large":  strings.Fields("stor storbedrift storverksemd largecompany big"),
	},
}
