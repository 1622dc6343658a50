package replay

import (
	"fmt"
	"strings"
	"time"
)

// memberList is what a case's member list said of large companies when one was still missing; the companies are invented.
const memberList = `Navn;E-post;Telefon;Bedrift;Stilling;Generell stilling;Ansatte
Cornelius Oppdiktet;c6@example.org;22 00 00 20;Eksempel Forsikring ASA;Utviklingsdirektør;Utviklingsleder;1200
Christine Tenkt;c7@example.org;22 00 00 21;Eksempel Kreditt ASA;Prosjektleder betaling;Prosjektleder;540
Casper Påfunn;c8@example.org;22 00 00 22;Eksempel Fond ASA;Leder for data;Avdelingsleder;310
`

// memberLists reads candidates from a file, and plans a call with the first of them.
func (p *player) memberLists() []event {
	return []event{
		{at("2019-04-04", "10:00"), "member list of case C", p.importMembers},
		{at("2019-05-10", "15:00"), "a call is planned", p.planCall},
	}
}

func (p *player) importMembers() error {
	if err := p.open(p.study + "/import"); err != nil {
		return err
	}
	if err := p.researcher.Form("main form").Attach("file", "medlemsliste.csv", []byte(memberList)).Submit(); err != nil {
		return err
	}
	columns := p.researcher.Form(`main form[method="post"]`).Set("all_relation", "member").Set("all_audience", "company").
		Set("all_source", "member_list").Set("all_case", p.cases["C"])
	if err := columns.Submit(); err != nil {
		return err
	}
	if err := p.researcher.Form(`form[action$="/start"]`).Submit(); err != nil {
		return err
	}
	progress := p.researcher.Address()
	for range 200 { // it goes on in the background, on the real clock
		if p.researcher.Header.Get("Refresh") == "" {
			p.counts["candidates from a member list"] = strings.Count(memberList, "\n") - 1
			return nil
		}
		time.Sleep(50 * time.Millisecond)
		if err := p.researcher.Get(progress); err != nil {
			return err
		}
	}
	return fmt.Errorf("the import does not end: %s", p.researcher.Text("main"))
}

func (p *player) planCall() error {
	if err := p.open(p.study + "/candidates?q=C6"); err != nil {
		return err
	}
	if err := p.researcher.Follow("/people/"); err != nil {
		return err
	}
	person := p.researcher.Address()[strings.LastIndex(p.researcher.Address(), "/")+1:]
	return p.post(p.study+"/calls?row="+person, action(p.study+"/calls/"+person+"/later"), "later_on", "13. mai kl. 12")
}
